//! `api import` into PostgreSQL.

use tokio::task::block_in_place;

use crate::import::Place;
use crate::import_killed::file;

/// Two thousand lines go into PostgreSQL, once; a dry run before and after says what the run says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_into_postgresql_once() {
    let url = block_in_place(|| testkit::pg::fresh_database("api_import"));
    block_in_place(|| {
        let place = Place::at(Some(url));
        let text = file();
        for (arguments, table) in [
            (&["--dry-run"][..], [2_000, 0, 0, 0]),
            (&[], [2_000, 0, 0, 0]),
            (&[], [0, 0, 2_000, 0]),
            (&["--dry-run"], [0, 0, 2_000, 0]),
        ] {
            let ran = place.import(&text, arguments);
            assert_eq!(ran.row("all"), table, "{}", ran.complained);
        }
    });
}
