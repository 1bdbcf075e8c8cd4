use super::*;

/// A load that went well: 1000 requests a second, 1 ms of processor time each.
fn good() -> Soak {
    let sample = |at: u32| Sample {
        seconds: f64::from(at) * 100.0,
        cpu: f64::from(at) * 100.0,
        memory: 50_000.0,
    };
    Soak {
        wasmedge: "0.17.1".to_owned(),
        requests: 1_000_000,
        answered: 1_000_000,
        failed: 0,
        reasons: Vec::new(),
        files: Some((9, 9)),
        samples: (0..=10).map(sample).collect(),
    }
}

/// The only complaint.
fn complaint(soak: &Soak) -> String {
    let complaints = soak.complaints();
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(soak.line().contains("It does not hold: "));
    complaints[0].clone()
}

#[test]
fn what_stays_as_it_is_holds() {
    let soak = good();
    assert_eq!(soak.complaints(), Vec::<String>::new());
    assert_eq!(
        soak.line(),
        "WasmEdge 0.17.1: 1 million requests, 0 failed; memory 48.83 MiB after a tenth and \
         48.83 at the end, 9 files open when all are gone; 1000 requests/s at the start and 1000 at the end, with 1000 \
         and 1000 µs of processor time for each. It holds."
    );
}

#[test]
fn one_failed_request_is_too_many() {
    let mut soak = good();
    (soak.answered, soak.failed) = (999_999, 1);
    soak.reasons.push("connection reset".to_owned());
    let said = complaint(&soak);
    assert!(said.ends_with("1 failed: connection reset"), "{said}");
}

#[test]
fn files_that_stay_open_are_a_leak() {
    let mut soak = good();
    // What the start opened may be closed, and some be opened at its first use.
    for after in [8, 9 + KEPT_FILES] {
        soak.files = Some((9, after));
        assert!(soak.complaints().is_empty());
    }
    soak.files = Some((9, 10 + KEPT_FILES));
    let said = complaint(&soak);
    assert!(said.starts_with("9 files were open"), "{said}");
}

#[test]
fn memory_may_move_but_not_grow() {
    let mut soak = good();
    // What the start and the first tenth take is not growth.
    soak.samples[0].memory = 20_000.0;
    soak.samples[10].memory += NOISE;
    assert!(soak.complaints().is_empty());
    soak.samples[10].memory += 1.0;
    let said = complaint(&soak);
    assert!(said.starts_with("memory grew by 2049 KiB"), "{said}");
}

#[test]
fn the_end_is_as_fast_as_the_start() {
    let mut soak = good();
    // The first may be slow, and one of the last.
    soak.samples[0].seconds = -1000.0;
    soak.samples[10].seconds += 1000.0;
    assert!(soak.complaints().is_empty());
    // So may two be, a little.
    for late in [9, 10] {
        soak.samples[late].seconds += 100.0 / 9.0;
    }
    assert!(soak.complaints().is_empty());
    for late in [9, 10] {
        soak.samples[late].seconds += 1.0;
    }
    let said = complaint(&soak);
    assert!(
        said.starts_with("the rate fell from 1000 at the start to 892"),
        "{said}"
    );
}

#[test]
fn a_server_that_ended_is_not_judged_further() {
    let mut soak = good();
    soak.samples.truncate(4);
    (soak.answered, soak.failed) = (350_000, 1000);
    let complaints = soak.complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[1].contains("too early"));
    assert_eq!(soak.table().lines().count(), 5);
}
