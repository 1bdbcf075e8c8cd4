//! Does nothing. To build this program cargo has to build the facade, and nothing
//! of the packages that are selected with it: that is how `cargo wasmedge` has the
//! facade built before an app whose dependencies do not lead to it.

fn main() {}
