//! Ends in the ways that programs end badly.

use std::hint::black_box;

const USAGE: &str = "usage: panics HOW
  main      panic in the main task
  task      panic in a spawned task, and go on
  blocking  panic in a blocking closure, and go on
  in-place  block in place in a runtime of one thread
  double    panic while a panic unwinds
  abort     std::process::abort
  exit      std::process::exit(3)
  overflow  call oneself without end";

#[inline(never)]
fn innermost(why: &str) -> u32 {
    panic!("it is over: {why}") // the panic
}

#[inline(never)]
fn outer(why: &str) -> u32 {
    black_box(innermost(why)) // calls innermost
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        outer("again");
    }
}

#[inline(never)]
fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 100]);
    overflow(depth + 1) + black_box(frame)[3] // calls itself
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let joined = match how.as_str() {
        "main" => {
            outer("main");
            return;
        }
        "task" => tokio::spawn(async { outer("task") }).await,
        "blocking" => tokio::task::spawn_blocking(|| outer("blocking")).await,
        "in-place" => {
            tokio::task::block_in_place(|| println!("blocked in place"));
            return;
        }
        "double" => {
            let _guard = PanicsInDrop;
            outer("first");
            return;
        }
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "overflow" => {
            overflow(black_box(1));
            return;
        }
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    };
    let error = joined.expect_err("it panics");
    println!("went on: {}", error.is_panic());
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passes() {
        println!("said by a");
    }

    #[test]
    #[ignore = "it fails, for those who look at how"]
    fn b_fails() {
        println!("said by b");
        assert_eq!(super::USAGE.len(), 0, "as it has to"); // the assertion
    }

    #[test]
    fn c_passes() {
        println!("said by c");
    }

    #[test]
    #[should_panic(expected = "it is over")]
    fn d_should_panic() {
        super::outer("d");
    }
}
