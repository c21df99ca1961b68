//! The worker on a database that was not migrated.

use crate::installation::{ended, worker};

#[test]
fn a_worker_does_not_start_on_a_database_that_was_not_migrated() {
    let url = testkit::pg::fresh_database("worker_schema");
    for args in [&["run"][..], &["run-job", "prune"], &["jobs"]] {
        let mut command = worker(args);
        let (code, _, err) = ended(command.env("DATABASE_URL", &url));
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains("is missing: run `api migrate`"), "{err}");
    }
}
