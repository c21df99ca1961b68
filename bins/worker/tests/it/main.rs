//! The built worker: what it does with a database, a signal, and a wrong setting.

mod installation;
mod pg_schema;
mod process;
