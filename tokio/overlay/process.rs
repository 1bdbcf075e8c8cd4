//! Child processes under WasmEdge: there are none. `Command::spawn` fails with
//! `Unsupported` in std already; the types here can be named but not made.

use crate::io::{AsyncRead, AsyncWrite, ReadBuf};
use crate::process::kill::Kill;
use crate::process::SpawnedChild;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{Child as StdChild, ExitStatus, Stdio};
use std::task::{Context, Poll};

fn unsupported() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "WasmEdge cannot start processes for its guest",
    )
}

pub(crate) fn build_child(_child: StdChild) -> io::Result<SpawnedChild> {
    Err(unsupported())
}

#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub(crate) struct Child(Infallible);

impl Child {
    pub(crate) fn id(&self) -> u32 {
        match self.0 {}
    }

    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match self.0 {}
    }
}

impl Kill for Child {
    fn kill(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

impl Future for Child {
    type Output = io::Result<ExitStatus>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(crate) struct ChildStdio(Infallible);

// Upstream names one type per stream since 1.54, and one for all before.
pub(crate) type ChildStdin = ChildStdio;
pub(crate) type ChildStdout = ChildStdio;
pub(crate) type ChildStderr = ChildStdio;

pub(super) fn stdio<T>(_io: T) -> io::Result<ChildStdio> {
    Err(unsupported())
}

pub(crate) fn convert_to_stdio(io: ChildStdio) -> io::Result<Stdio> {
    match io.0 {}
}

impl ChildStdio {
    pub(crate) fn into_stdio(self) -> io::Result<Stdio> {
        match self.0 {}
    }
}

impl AsyncRead for ChildStdio {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for ChildStdio {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
