//! Compiles the app's own C, assembly and C++.

fn main() {
    println!("cargo:rerun-if-changed=c");
    let mut c = cc::Build::new();
    c.files(["c/text.c", "c/add.S"]).compile("parts");
    let mut cpp = cc::Build::new();
    cpp.cpp(true).std("c++17").file("c/sorted.cpp");
    cpp.compile("sorted");
}
