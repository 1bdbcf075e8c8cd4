//! Where the guests run: a folder and a network of their own, and a timer that ends waits.

use std::mem::zeroed;
use std::path::PathBuf;

/// The plugin lets guests have none of these.
fn tick() -> i32 {
    libc::SIGRTMIN() + 5
}

extern "C" fn ticked(_: i32) {}

/// Raises a signal that is being taken.
pub fn raise(signal: i32) {
    // SAFETY: no pointers; the plugin has a handler for it.
    unsafe { libc::raise(signal) };
}

/// A folder that goes with this.
pub struct Surroundings(PathBuf);

impl Surroundings {
    pub fn new() -> Surroundings {
        let name = format!("plugin-fuzz-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::env::set_current_dir(&folder).expect("it is there");
        if !own_network() {
            println!("note: no network of its own");
        }
        start_timer();
        Surroundings(folder)
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Without it a guest could by chance send to an address in the world.
fn own_network() -> bool {
    // SAFETY: the process has one thread. The request is for the interface `lo`, which every
    // network has, and all zeros but the name and the flag.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNET) != 0
            && libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) != 0
        {
            return false;
        }
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        let mut request: libc::ifreq = zeroed();
        request.ifr_name[0] = b'l' as _;
        request.ifr_name[1] = b'o' as _;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as _;
        let up = libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request);
        libc::close(socket);
        up == 0
    }
}

/// A signal each millisecond, which ends calls that wait.
fn start_timer() {
    // SAFETY: all are local, and zeros but for what is set. The handler does nothing.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = ticked as extern "C" fn(i32) as usize;
        assert_eq!(libc::sigaction(tick(), &action, std::ptr::null_mut()), 0);
        let mut event: libc::sigevent = zeroed();
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = tick();
        let mut timer: libc::timer_t = zeroed();
        let made = libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer);
        assert_eq!(made, 0);
        let each = libc::timespec {
            tv_sec: 0,
            tv_nsec: 1_000_000,
        };
        let times = libc::itimerspec {
            it_interval: each,
            it_value: each,
        };
        let set = libc::timer_settime(timer, 0, &times, std::ptr::null_mut());
        assert_eq!(set, 0);
    }
}
