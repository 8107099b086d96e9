//! Wake-ups: a file descriptor that one side signals and the other waits for.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fork::Birth;

/// What librdkafka writes to signal: an eventfd takes exactly eight bytes, a pipe any number.
pub const SIGNAL: [u8; 8] = 1u64.to_ne_bytes();

/// A pollable flag. Signals are counted together: any number of them is one wake-up.
#[derive(Debug)]
pub struct WakeFd {
    read: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    write: OwnedFd,
}

/// Descriptors of a thread that waits now and then; more than one when a callback of a wait waits itself.
struct Pool {
    birth: Birth,
    idle: Vec<Arc<WakeFd>>,
}

impl Default for Pool {
    fn default() -> Self {
        Pool { birth: Birth::now(), idle: Vec::new() }
    }
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

impl WakeFd {
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Self> {
        // SAFETY: a plain system call; the new descriptor is owned by nobody else.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: fd was just opened and is owned here.
        Ok(WakeFd { read: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Self> {
        let (read, write) = pipe()?;
        Ok(WakeFd { read, write })
    }

    /// One for a wait of the calling thread, which must give it back afterwards: opening one costs system calls.
    pub fn of_thread() -> io::Result<Arc<Self>> {
        let kept = POOL.with_borrow_mut(|pool| {
            if pool.birth.forked() {
                *pool = Pool::default(); // a child must not share its parent's
            }
            pool.idle.pop()
        });
        match kept {
            Some(wake) => {
                wake.drain();
                Ok(wake)
            }
            None => Self::new().map(Arc::new),
        }
    }

    pub fn back_to_thread(wake: Arc<Self>) {
        // At the end of a thread the pool may be gone already.
        let _ = POOL.try_with(|pool| pool.borrow_mut().idle.push(wake));
    }

    /// The descriptor to wait on.
    pub fn read_fd(&self) -> RawFd {
        self.read.as_raw_fd()
    }

    /// The descriptor to which `SIGNAL` is written.
    pub fn write_fd(&self) -> RawFd {
        #[cfg(target_os = "linux")]
        return self.read.as_raw_fd();
        #[cfg(not(target_os = "linux"))]
        return self.write.as_raw_fd();
    }

    pub fn signal(&self) {
        // SAFETY: writes eight bytes from a constant. It fails only when the descriptor is signalled already.
        unsafe { libc::write(self.write_fd(), SIGNAL.as_ptr().cast(), SIGNAL.len()) };
    }

    /// Takes all signals; says whether there was one.
    pub fn drain(&self) -> bool {
        let mut buffer = [0u8; 64];
        let mut signalled = false;
        loop {
            // SAFETY: reads at most 64 bytes into a buffer of that size.
            let n = unsafe { libc::read(self.read_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            if n <= 0 {
                return signalled;
            }
            signalled = true;
            if cfg!(target_os = "linux") {
                return true; // an eventfd is emptied by one read
            }
        }
    }
}

/// A non-blocking, close-on-exec pipe: (read end, write end).
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [0; 2];
    // SAFETY: fds has room for two descriptors, which are owned by nobody else afterwards.
    let owned = unsafe {
        if libc::pipe(fds.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        (OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1]))
    };
    for fd in fds {
        // SAFETY: both descriptors are open and owned above.
        unsafe {
            libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK);
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
    Ok(owned)
}

/// When a wait ends by itself.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// `seconds` from now; a negative or endless number means never.
    pub fn after(seconds: f64) -> Self {
        if seconds < 0.0 || !seconds.is_finite() {
            return Deadline(None);
        }
        // Instants overflow after some centuries; that is never.
        Deadline(Instant::now().checked_add(Duration::from_secs_f64(seconds.min(1e10))))
    }

    pub fn passed(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }

    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// The earlier of this and `limit` from now.
    pub fn at_most(self, limit: Option<Duration>) -> Option<Duration> {
        match (self.remaining(), limit) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

/// Waits until one of `fds` is readable, the time is over (`None`: never) or a signal handler ran.
///
/// Bit `n` of the result is set when `fds[n]` is readable.
pub fn wait(fds: &[RawFd], timeout: Option<Duration>) -> u32 {
    let mut polled: [libc::pollfd; 4] = [libc::pollfd { fd: -1, events: 0, revents: 0 }; 4];
    for (entry, fd) in polled.iter_mut().zip(fds) {
        *entry = libc::pollfd { fd: *fd, events: libc::POLLIN, revents: 0 };
    }
    // Rounded up: a wait that ends too early would spin through the last millisecond.
    let milliseconds = timeout.map_or(-1, |t| t.as_micros().div_ceil(1000).min(i32::MAX as u128) as libc::c_int);
    // SAFETY: the first fds.len() entries of the array are initialised and at most four.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), fds.len().min(4) as libc::nfds_t, milliseconds) };
    if ready <= 0 {
        return 0;
    }
    polled.iter().enumerate().fold(0, |mask, (n, entry)| mask | (u32::from(entry.revents != 0) << n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_counted_together() {
        let wake = WakeFd::new().unwrap();
        assert!(!wake.drain());
        wake.signal();
        wake.signal();
        assert_eq!(wait(&[wake.read_fd()], None), 1);
        assert!(wake.drain());
        assert!(!wake.drain());
        assert_eq!(wait(&[wake.read_fd()], Some(Duration::ZERO)), 0);
    }

    #[test]
    fn deadlines() {
        assert!(Deadline::after(0.0).passed());
        assert!(!Deadline::after(-1.0).passed());
        assert!(!Deadline::after(f64::INFINITY).passed());
        assert!(!Deadline::after(60.0).passed());
        assert_eq!(Deadline::after(-1.0).at_most(None), None);
        let limit = Duration::from_secs(5);
        assert_eq!(Deadline::after(-1.0).at_most(Some(limit)), Some(limit));
    }
}
