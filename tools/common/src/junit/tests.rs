use super::*;

/// As nextest 0.9.143 wrote it, shortened: a test that fails and shows libtest's summary,
/// one that passes at the second try, one that leaks a process, one that runs out of time,
/// one whose program cannot be started, one that is filtered out and one that is ignored.
const RECORDED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="8" skipped="2" failures="2" errors="1" uuid="5180704c-3191-4b16-ab76-51d9f60431bf" timestamp="2026-11-27T15:39:34.199+00:00" time="2.167">
    <testsuite name="app" tests="7" skipped="2" errors="0" failures="2">
        <testcase name="tests::filtered" classname="app" time="0.000">
            <skipped message="Skipped: test does not match the provided expression filters"/>
        </testcase>
        <testcase name="tests::fails" classname="app" timestamp="2026-11-27T15:39:34.200+00:00" time="0.162">
            <failure message="thread &apos;tests::fails&apos; (14719) panicked at src/lib.rs:4:91" type="test failure with exit code 101">thread &apos;tests::fails&apos; (14719) panicked at src/lib.rs:4:91:
no</failure>
            <system-out>
running 1 test
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 6 filtered out; finished in 0.15s

</system-out>
            <system-err>
thread &apos;tests::fails&apos; (14719) panicked at src/lib.rs:4:91:
no
</system-err>
        </testcase>
        <testcase name="tests::ignored" classname="app" time="0.000">
            <skipped message="Skipped: test does not match the run-ignored option"/>
        </testcase>
        <testcase name="tests::flaky" classname="app" timestamp="2026-11-27T15:39:34.355+00:00" time="0.010">
            <flakyFailure timestamp="2026-11-27T15:39:34.200+00:00" time="0.153" message="thread &apos;tests::flaky&apos; (14718) panicked at src/lib.rs:9:117" type="test failure with exit code 101">once
                <system-out>
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 6 filtered out; finished in 0.14s
</system-out>
                <system-err></system-err>
            </flakyFailure>
        </testcase>
        <testcase name="tests::leaks" classname="app" timestamp="2026-11-27T15:39:34.365+00:00" time="0.210"/>
        <testcase name="tests::passes" classname="app" timestamp="2026-11-27T15:39:34.576+00:00" time="0.009"/>
        <testcase name="tests::hangs" classname="app" timestamp="2026-11-27T15:39:34.363+00:00" time="2.003">
            <failure type="test timeout"/>
            <system-out>
running 1 test
</system-out>
            <system-err></system-err>
        </testcase>
    </testsuite>
    <testsuite name="app::program" tests="1" skipped="0" errors="1" failures="0">
        <testcase name="no_program" classname="app::program" timestamp="2026-11-27T15:39:34.363+00:00" time="0.001">
            <error type="execution failure"/>
        </testcase>
    </testsuite>
</testsuites>
"#;

fn case(text: &str) -> String {
    format!(
        "<testsuites name=\"nextest-run\" tests=\"1\" skipped=\"0\" failures=\"0\" errors=\"0\">\
         <testsuite name=\"app\" tests=\"1\" skipped=\"0\" errors=\"0\" failures=\"0\">\
         <testcase name=\"t\" classname=\"app\">{text}</testcase></testsuite></testsuites>"
    )
}

#[test]
fn every_test_counts_once_whatever_it_writes() {
    let cases = parse(RECORDED).unwrap();
    let sums = counts(cases.iter().map(|case| &case.outcome));
    // The flaky one and the leaky one pass; libtest's lines count nothing.
    assert_eq!(sums, Counts::new(3, 3, 2));
}

#[test]
fn tests_are_named_by_program_and_path() {
    let cases = parse(RECORDED).unwrap();
    let last = cases.last().unwrap();
    assert_eq!((&*last.binary, &*last.test), ("app::program", "no_program"));
}

#[test]
fn a_failure_keeps_what_the_test_said() {
    let cases = parse(RECORDED).unwrap();
    let fails = cases
        .iter()
        .find(|case| case.test == "tests::fails")
        .unwrap();
    let Outcome::Failed(said) = &fails.outcome else {
        panic!("{fails:?}")
    };
    assert!(said.starts_with("thread 'tests::fails'"), "{said}");
    assert!(said.ends_with("\nno"), "{said}");
}

#[test]
fn what_the_harness_ignores_is_no_pass() {
    let said =
        "<system-out>test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured</system-out>";
    assert_eq!(parse(&case(said)).unwrap()[0].outcome, Outcome::Ignored);
    assert_eq!(parse(&case("")).unwrap()[0].outcome, Outcome::Passed);
}

#[test]
fn the_end_of_an_output_is_kept() {
    let text: String = (0..20).map(|n| format!("line {n}\n\n")).collect();
    assert_eq!(tail(&text).lines().count(), 12);
    assert!(tail(&text).ends_with("line 19"));
}

#[test]
fn the_report_of_an_earlier_run_is_never_read() {
    let workspace = tempfile::tempdir().unwrap();
    let path = workspace.path().join("target/nextest/default/junit.xml");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, RECORDED).unwrap();

    let junit = Junit::of_next_run(workspace.path()).unwrap();
    assert_eq!(junit.read().unwrap(), None);

    std::fs::write(junit.path(), case("")).unwrap();
    assert_eq!(junit.read().unwrap().unwrap().len(), 1);
    std::fs::write(junit.path(), "cut off <testsu").unwrap();
    assert!(junit.read().is_err());
}
