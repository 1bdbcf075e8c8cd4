//! Methods that several of the types have.

/// What all three types have.
macro_rules! sockets {
    ($($ty:ident: $field:ident),*) => {
        $(
            impl $ty {
                #[inline]
                fn fd(&self) -> BorrowedFd<'_> {
                    self.$field.as_fd()
                }

                /// The local address.
                ///
                /// # Errors
                ///
                /// The host's.
                pub fn local_addr(&self) -> io::Result<SocketAddr> {
                    unix::local_addr(self.fd())
                }

                /// One more for the same socket.
                ///
                /// # Errors
                ///
                /// `Unsupported` without the plugin: WASI cannot duplicate a
                /// descriptor.
                pub fn try_clone(&self) -> io::Result<$ty> {
                    system::duplicate(self.fd()).map($ty::from)
                }

                /// The pending error, which is then forgotten.
                ///
                /// # Errors
                ///
                /// The host's, about asking.
                pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                    socket::take_error(self.fd())
                }

                /// Turns non-blocking mode on or off.
                ///
                /// # Errors
                ///
                /// The host's.
                pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                    socket::set_nonblocking(self.fd(), nonblocking)
                }
            }

            impl From<$ty> for OwnedFd {
                #[inline]
                fn from(socket: $ty) -> OwnedFd {
                    socket.$field.into()
                }
            }

            impl fmt::Debug for $ty {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    let mut debug = f.debug_struct(stringify!($ty));
                    debug.field("fd", &self.as_raw_fd());
                    if let Ok(addr) = self.local_addr() {
                        debug.field("local", &addr);
                    }
                    if let Ok(peer) = unix::peer_addr(self.fd()) {
                        debug.field("peer", &peer);
                    }
                    debug.finish()
                }
            }
        )*
    };
}

/// What the types have that can be connected.
macro_rules! connected {
    ($($ty:ident: $socktype:ident),*) => {
        $(
            impl $ty {
                /// Two sockets that are connected with each other.
                ///
                /// # Errors
                ///
                /// `Unsupported` without the plugin: the host has no `socketpair`.
                pub fn pair() -> io::Result<($ty, $ty)> {
                    let (near, far) = unix::pair(SocketType::$socktype, false)?;
                    Ok((near.into(), far.into()))
                }

                /// The address of the peer.
                ///
                /// # Errors
                ///
                /// `NotConnected`.
                pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                    unix::peer_addr(self.fd())
                }

                /// Sets how long a blocking read waits; `None` is without end.
                ///
                /// # Errors
                ///
                /// `InvalidInput` for a time-out of zero.
                pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                    socket::set_read_timeout(self.fd(), timeout)
                }

                /// Sets how long a blocking write waits; `None` is without end.
                ///
                /// # Errors
                ///
                /// `InvalidInput` for a time-out of zero.
                pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                    socket::set_write_timeout(self.fd(), timeout)
                }

                /// How long a blocking read waits.
                ///
                /// # Errors
                ///
                /// The host's.
                pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
                    socket::read_timeout(self.fd())
                }

                /// How long a blocking write waits.
                ///
                /// # Errors
                ///
                /// The host's.
                pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
                    socket::write_timeout(self.fd())
                }

                /// Shuts one or both directions.
                ///
                /// # Errors
                ///
                /// `NotConnected`.
                pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                    socket::shutdown(self.fd(), how)
                }
            }
        )*
    };
}

pub(super) use {connected, sockets};
