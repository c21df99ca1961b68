//! The built worker: what it does with a database, a signal, and a wrong setting.

mod installation;
mod pg_schema;
mod process;
#[path = "../../../api/tests/it/settings_page.rs"]
mod settings_page;
