//! Signals and child processes: a guest is told of signals with the plugin only, and has
//! no children.

use std::time::Duration;

use behaviour::{native_only, tcp_pair, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

#[tokio::test]
async fn ctrl_c_is_pending() {
    assert!(timeout(Duration::from_millis(50), tokio::signal::ctrl_c())
        .await
        .is_err());
}

#[tokio::test]
async fn ctrl_c_beside_work_lets_the_work_go_on() {
    within(async {
        let (mut near, mut far) = tcp_pair().await;
        let work = async {
            for i in 0..20u8 {
                near.write_u8(i).await.unwrap();
                assert_eq!(far.read_u8().await.unwrap(), i);
            }
        };
        tokio::select! {
            ended = tokio::signal::ctrl_c() => panic!("{ended:?}"),
            () = work => {}
        }
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_can_be_waited_for_again() {
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(10), tokio::signal::ctrl_c())
            .await
            .is_err());
    }
}

#[tokio::test]
async fn spawning_a_child_is_native_only() {
    within(async {
        if let Some(mut child) = native_only(Command::new("true").spawn()) {
            assert!(child.wait().await.unwrap().success());
        }
    })
    .await;
}

#[tokio::test]
async fn output_of_a_child_is_native_only() {
    within(async {
        let output = Command::new("echo").arg("hello").output().await;
        if let Some(output) = native_only(output) {
            assert_eq!(output.stdout, b"hello\n");
        }
    })
    .await;
}

#[tokio::test]
async fn status_of_a_child_is_native_only() {
    within(async {
        let status = Command::new("false").kill_on_drop(true).status().await;
        if let Some(status) = native_only(status) {
            assert_eq!(status.code(), Some(1));
        }
    })
    .await;
}

#[tokio::test]
async fn command_remembers_its_program() {
    let mut command = Command::new("program");
    command.arg("one").args(["two"]).env("KEY", "value");
    assert_eq!(command.as_std().get_program(), "program");
    assert_eq!(command.as_std().get_args().count(), 2);
}
