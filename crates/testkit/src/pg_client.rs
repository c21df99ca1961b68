//! PostgreSQL's own programs, and its URLs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;
use crate::process::{find_program, output_of};

/// Where Debian puts each version's programs.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// Runs SQL through `psql`; the rows as text, columns divided by `|`.
pub fn sql(url: &str, statement: &str) -> Result<String, ServerError> {
    let mut command = client("psql")?;
    command
        .args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
        ])
        .arg(url);
    Ok(output_of(command)?.trim_end().to_owned())
}

/// Runs the SQL of a file through `psql`, such as a dump of the format `plain`.
pub fn run_file(url: &str, file: &Path) -> Result<(), ServerError> {
    let mut command = client("psql")?;
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]);
    command.arg(file).arg(url);
    output_of(command).map(drop)
}

/// Writes a database into a file, as `pg_dump` does by itself; with `more` arguments.
pub fn dump(url: &str, file: &Path, more: &[&str]) -> Result<(), ServerError> {
    let mut command = client("pg_dump")?;
    command.args(more).arg("--file").arg(file).arg(url);
    output_of(command).map(drop)
}

/// Restores a dump of the format `custom`. What cannot be restored is reported as an error; the rest is there.
pub fn restore(url: &str, file: &Path) -> Result<(), ServerError> {
    let mut command = client("pg_restore")?;
    command.arg("--no-owner").arg("--dbname").arg(url).arg(file);
    output_of(command).map(drop)
}

fn client(program: &'static str) -> Result<Command, ServerError> {
    let path = find_program(program, &version_folders()).ok_or(ServerError::Missing {
        program,
        package: "postgresql-client",
    })?;
    Ok(Command::new(path))
}

/// `url` with another database; host, user and parameters stay.
pub(crate) fn with_database(url: &str, database: &str) -> String {
    let (server, _, parameters) = parts(url);
    format!("{server}/{database}{parameters}")
}

/// `url` with another host and port; user, database and parameters stay.
pub(crate) fn with_host(url: &str, host: &str) -> String {
    let (server, database, parameters) = parts(url);
    let host_at = server.find("://").map_or(0, |at| at + "://".len());
    let user = match server[host_at..].rsplit_once('@') {
        Some((user, _)) => format!("{user}@"),
        None => String::new(),
    };
    format!("{}{user}{host}{database}{parameters}", &server[..host_at])
}

pub(crate) fn version_folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIAN_FOLDER).into_iter().flatten().flatten();
    let mut versions: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions
        .iter()
        .map(|version| format!("{DEBIAN_FOLDER}/{version}/bin").into())
        .collect()
}

/// Scheme, user and host; the database after its `/`; the parameters after their `?`.
pub(crate) fn parts(url: &str) -> (&str, &str, &str) {
    let (address, parameters) = url.split_at(url.find('?').unwrap_or(url.len()));
    let host_at = address.find("://").map_or(0, |at| at + "://".len());
    let server = address[host_at..]
        .find('/')
        .map_or(address.len(), |at| host_at + at);
    let (server, database) = address.split_at(server);
    (server, database, parameters)
}
