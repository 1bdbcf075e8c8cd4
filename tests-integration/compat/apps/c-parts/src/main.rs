//! C, assembly and C++ of the app's own, and a published crate with such parts.

use std::ffi::{c_char, c_int, CStr};

extern "C" {
    fn limits_fit() -> c_int;
    fn describe(out: *mut c_char, size: c_int, number: c_int) -> c_int;
    fn add_one(number: c_int) -> c_int;
    fn median(numbers: *const c_int, count: c_int) -> c_int;
    fn words_and_corners(count: c_int) -> c_int;
}

#[tokio::main]
async fn main() {
    // SAFETY: what is declared above is what c/ defines.
    unsafe {
        println!("limits fit: {}", limits_fit());
        let mut text = [0; 64];
        describe(text.as_mut_ptr(), 64, -12345);
        println!("{}", CStr::from_ptr(text.as_ptr()).to_str().unwrap());
        println!("assembly: {}", add_one(41));
        let numbers = [5, 1, 9, 7, 3];
        println!(
            "C++: {} {}",
            median(numbers.as_ptr(), 5),
            words_and_corners(12)
        );
    }
    let text: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
    let task = tokio::spawn(async move {
        let packed = zstd::encode_all(&text[..], 3).unwrap();
        let unpacked = zstd::decode_all(&packed[..]).unwrap();
        (packed.len() < text.len() / 50, unpacked == text)
    });
    println!("zstd: {:?}", task.await.unwrap());
}
