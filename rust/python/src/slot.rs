//! Places for values inside frozen classes.

use std::cell::UnsafeCell;
use std::sync::Arc;

use pyo3::prelude::*;

/// Guarded by the GIL, or on free-threaded Python by the critical section of the object it lies in.
pub struct Slot(UnsafeCell<Option<Py<PyAny>>>);

// SAFETY: every access goes through `get` and `replace`, whose callers hold the GIL or the critical section.
unsafe impl Sync for Slot {}
// SAFETY: Py<PyAny> may be sent; the cell adds nothing.
unsafe impl Send for Slot {}

impl Slot {
    pub const fn empty() -> Self {
        Slot(UnsafeCell::new(None))
    }

    pub fn new(value: Option<Py<PyAny>>) -> Self {
        Slot(UnsafeCell::new(value))
    }

    /// The object, or None. `_owner` is the object this slot lies in: its critical section is held.
    #[inline]
    pub fn get<T>(&self, owner: &Bound<'_, T>) -> Option<Py<PyAny>> {
        pyo3::sync::critical_section::with_critical_section(owner.as_any(), || {
            // SAFETY: nothing else accesses the cell meanwhile: no Python code runs in between.
            unsafe { (*self.0.get()).as_ref().map(|value| value.clone_ref(owner.py())) }
        })
    }

    /// Stores `value`. The former one is dropped after the section: its destructor may run Python code.
    pub fn replace<T>(&self, owner: &Bound<'_, T>, value: Option<Py<PyAny>>) {
        let former = pyo3::sync::critical_section::with_critical_section(owner.as_any(), || {
            // SAFETY: as in `get`.
            unsafe { std::mem::replace(&mut *self.0.get(), value) }
        });
        drop(former);
    }

    /// The object as Python sees it.
    #[inline]
    pub fn object<T>(&self, owner: &Bound<'_, T>) -> Py<PyAny> {
        self.get(owner).unwrap_or_else(|| owner.py().None())
    }
}

/// A value guarded by the GIL, without the cost of a lock; on free-threaded Python by a lock.
pub struct GilCell<T>(#[cfg(not(Py_GIL_DISABLED))] UnsafeCell<T>, #[cfg(Py_GIL_DISABLED)] std::sync::Mutex<T>);

// SAFETY: every access needs the GIL token, or the lock.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub const fn new(value: T) -> Self {
        #[cfg(not(Py_GIL_DISABLED))]
        return GilCell(UnsafeCell::new(value));
        #[cfg(Py_GIL_DISABLED)]
        return GilCell(std::sync::Mutex::new(value));
    }

    /// Calls `f` with the value.
    ///
    /// # Safety
    /// `f` must neither run Python code (also not by dropping an object) nor release the GIL: both could come
    /// back here while the value is borrowed.
    #[inline]
    pub unsafe fn with<R>(&self, _py: Python<'_>, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: the GIL is held and, by the caller's word, stays with this call.
        return f(unsafe { &mut *self.0.get() });
        #[cfg(Py_GIL_DISABLED)]
        return f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// Calls `f` from the collector, which holds the GIL or has stopped every thread; None when it is locked.
    ///
    /// # Safety
    /// As for `with`, and only from `__traverse__`.
    pub unsafe fn during_collection<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        #[cfg(not(Py_GIL_DISABLED))]
        // SAFETY: nothing else runs during a collection, and `with` never contains one.
        return Some(f(unsafe { &*self.0.get() }));
        #[cfg(Py_GIL_DISABLED)]
        return self.0.try_lock().ok().map(|value| f(&value));
    }
}

/// What an object owns until it is closed.
pub struct Shared<T>(GilCell<Option<Arc<T>>>);

impl<T> Shared<T> {
    pub const fn empty() -> Self {
        Shared(GilCell::new(None))
    }

    #[inline]
    pub fn get(&self, py: Python<'_>) -> Option<Arc<T>> {
        // SAFETY: counting a reference runs no Python code.
        unsafe { self.0.with(py, |value| value.as_ref().map(Arc::clone)) }
    }

    /// Stores `value`; the caller drops the former one, which may run Python code.
    #[must_use]
    pub fn replace(&self, py: Python<'_>, value: Option<Arc<T>>) -> Option<Arc<T>> {
        // SAFETY: moves only.
        unsafe { self.0.with(py, |slot| std::mem::replace(slot, value)) }
    }

    /// As `get`, without counting a reference.
    ///
    /// # Safety
    /// As for `GilCell::with`.
    #[inline]
    pub unsafe fn peek<R>(&self, py: Python<'_>, f: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: by the caller's word.
        unsafe { self.0.with(py, |value| value.as_deref().map(f)) }
    }

    /// # Safety
    /// As for `GilCell::during_collection`.
    pub unsafe fn during_collection<R>(&self, f: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: by the caller's word.
        unsafe { self.0.during_collection(|value| value.as_deref().map(f)).flatten() }
    }
}
