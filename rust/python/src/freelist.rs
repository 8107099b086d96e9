//! Freed `Message` objects, kept for the next ones.
//!
//! PyO3's own `freelist` takes a lock to give an object and another one to take it back, which is a twentieth of
//! what a polled message costs; under the GIL none is needed.

use std::ffi::c_void;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::PyTypeInfo;

use crate::message::Message;
use crate::slot::GilCell;

/// Most objects kept: those of a large batch, which are freed together.
const MOST: usize = 16_384;

/// Memory of objects of exactly this type, without contents.
struct Kept(Vec<*mut ffi::PyObject>);

// SAFETY: plain memory; only the cell's holder uses it.
unsafe impl Send for Kept {}

static KEPT: GilCell<Kept> = GilCell::new(Kept(Vec::new()));

/// Makes the type's objects come from and go to the list.
pub fn install(py: Python<'_>) {
    let message = Message::type_object_raw(py);
    // SAFETY: the GIL is held and the type is complete; a subclass gets allocation functions of its own.
    unsafe {
        (*message).tp_alloc = Some(allocate);
        (*message).tp_free = Some(free);
    }
}

unsafe extern "C" fn allocate(class: *mut ffi::PyTypeObject, items: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    // SAFETY: Python allocates objects while it is attached only.
    let py = unsafe { Python::assume_attached() };
    if ptr::eq(class, Message::type_object_raw(py)) {
        // SAFETY: taking a pointer runs no Python code.
        if let Some(object) = unsafe { KEPT.with(py, |kept| kept.0.pop()) } {
            // SAFETY: memory of an object of this type, which `free` left without contents.
            return unsafe { ffi::PyObject_Init(object, class) };
        }
    }
    // SAFETY: what Python would have called.
    unsafe { ffi::PyType_GenericAlloc(class, items) }
}

unsafe extern "C" fn free(object: *mut c_void) {
    // SAFETY: Python frees objects while it is attached only.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: keeping a pointer runs no Python code; only objects of exactly this type have this function.
    let kept = unsafe {
        KEPT.with(py, |kept| {
            let room = kept.0.len() < MOST;
            if room {
                kept.0.push(object.cast());
            }
            room
        })
    };
    if !kept {
        // SAFETY: the object was made by PyType_GenericAlloc of a type with garbage collection.
        unsafe { ffi::PyObject_GC_Del(object) };
    }
}
