//! The database: which one the settings name, how it is opened and closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use quota_core::ports::{BillingStore, Clock, CodeStore, MeterStore, Storage, StoreError, Turns};
use quota_service::{StoreClock, SystemClock};
use secrecy::{ExposeSecret as _, SecretString};
use storage_pg::{PgStore, Schema};
use storage_sqlite::{SqliteSettings, SqliteStore, foreign_table};
use tokio::task::JoinHandle;

use crate::{StartError, secret, whole};

/// How often the clock is set by the database's.
const CLOCK_SET_EVERY: Duration = Duration::from_secs(10);
/// How the driver begins when it cannot read its URL.
const URL_FAULT: &str = "error with configuration: ";

/// Which database is used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// `postgres://user:password@host:port/database`, or `sqlite://FILE`; without it `--sqlite-file`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = secret)]
    pub database_url: Option<SecretString>,
    /// The SQLite file.
    #[arg(
        long,
        env = "QUOTA_SQLITE_FILE",
        hide_env_values = true,
        value_name = "FILE",
        default_value = "quota.db"
    )]
    pub sqlite_file: PathBuf,
    /// Most connections to PostgreSQL.
    #[arg(long, env = "QUOTA_DATABASE_CONNECTIONS", hide_env_values = true, value_name = "N", default_value_t = 10, value_parser = whole::<u32>(1..=1000))]
    pub database_connections: u32,
}

/// What a command does where its SQLite file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFile {
    /// It makes the file.
    Create,
    /// It fails: a typing mistake must not leave an empty database behind.
    Refuse,
}

/// A database that is open, and the clock that goes with it.
pub struct OpenDatabase {
    /// PostgreSQL or the SQLite file, as the settings say.
    pub storage: Arc<dyn Storage>,
    /// The same database, for what is kept of a payment provider.
    pub billing: Arc<dyn BillingStore>,
    /// The same database, for codes that are redeemed.
    pub codes: Arc<dyn CodeStore>,
    /// The same database, for use that a payment provider's meters are told.
    pub meters: Arc<dyn MeterStore>,
    /// PostgreSQL's clock, or the machine's.
    pub clock: Arc<dyn Clock>,
    clock_task: Option<JoinHandle<()>>,
    store: Store,
}

enum Store {
    Sqlite(SqliteStore),
    Postgres(Box<PgStore>),
}

/// Where the database is.
enum Place<'a> {
    Sqlite(&'a Path),
    Postgres(&'a str),
}

impl DatabaseArgs {
    /// Opens the database; of PostgreSQL the schema must be there already.
    ///
    /// # Errors
    /// [`StartError`]; a file that is missing is refused where `missing` says so.
    pub async fn open(&self, missing: MissingFile) -> Result<OpenDatabase, StartError> {
        match self.place()? {
            Place::Sqlite(file) => {
                let store = open_sqlite(file, missing).await?;
                Ok(OpenDatabase {
                    storage: Arc::new(store.clone()),
                    billing: Arc::new(store.clone()),
                    codes: Arc::new(store.clone()),
                    meters: Arc::new(store.clone()),
                    clock: Arc::new(SystemClock),
                    clock_task: None,
                    store: Store::Sqlite(store),
                })
            }
            Place::Postgres(url) => {
                let store = self.open_postgres(url).await?;
                has_schema(&store).await?;
                let storage: Arc<dyn Storage> = Arc::new(store.clone());
                let clock = StoreClock::start(storage.as_ref()).await;
                let clock = Arc::new(clock.map_err(StartError::Postgres)?);
                Ok(OpenDatabase {
                    clock_task: Some(clock.keep_set(Arc::clone(&storage), CLOCK_SET_EVERY)),
                    storage,
                    billing: Arc::new(store.clone()),
                    codes: Arc::new(store.clone()),
                    meters: Arc::new(store.clone()),
                    clock,
                    store: Store::Postgres(Box::new(store)),
                })
            }
        }
    }

    /// Brings the database's schema up to date; a SQLite file is made if it is missing.
    ///
    /// # Errors
    /// [`StartError`] when the database cannot be used, or a migration fails.
    pub async fn migrate(&self) -> Result<(), StartError> {
        match self.place()? {
            Place::Sqlite(file) => {
                let store = open_sqlite(file, MissingFile::Create).await?;
                store.close().await;
            }
            Place::Postgres(url) => {
                let store = self.open_postgres(url).await?;
                store.migrate().await.map_err(StartError::Postgres)?;
                store.close().await;
            }
        }
        Ok(())
    }

    fn place(&self) -> Result<Place<'_>, StartError> {
        let Some(url) = &self.database_url else {
            return Ok(Place::Sqlite(&self.sqlite_file));
        };
        let url = url.expose_secret();
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Place::Postgres(url));
        }
        let file = url
            .strip_prefix("sqlite:")
            .map(|rest| rest.strip_prefix("//").unwrap_or(rest));
        match file {
            // A store in memory would be another one for each connection, and gone with the process.
            Some(file) if !file.is_empty() && file != ":memory:" => {
                Ok(Place::Sqlite(Path::new(file)))
            }
            Some(_) => Err(StartError::Setting {
                setting: "DATABASE_URL",
                why: "names no file: say `sqlite://` and the file's path".to_owned(),
            }),
            None => Err(StartError::Setting {
                setting: "DATABASE_URL",
                why: "must begin with `postgres://`, `postgresql://` or `sqlite://`".to_owned(),
            }),
        }
    }

    async fn open_postgres(&self, url: &str) -> Result<PgStore, StartError> {
        let own = storage_pg::Settings {
            connections_max: self.database_connections,
            ..storage_pg::Settings::default()
        };
        PgStore::connect(url, own).await.map_err(unusable)
    }
}

impl OpenDatabase {
    /// Whether it is a SQLite file, which belongs to this machine alone.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.store, Store::Sqlite(_))
    }

    /// The PostgreSQL store, whose schema can be behind while the process runs. A SQLite file was brought up to date
    /// when it was opened.
    pub fn postgres(&self) -> Option<&PgStore> {
        match &self.store {
            Store::Sqlite(_) => None,
            Store::Postgres(store) => Some(store),
        }
    }

    /// Turns that all processes over the same PostgreSQL share; none over a SQLite file.
    pub fn turns(&self) -> Option<Arc<dyn Turns>> {
        let store = self.postgres()?.clone();
        Some(Arc::new(store))
    }

    /// Closes it; what was written stays.
    pub async fn close(self) {
        if let Some(task) = self.clock_task {
            task.abort();
        }
        match self.store {
            Store::Sqlite(store) => store.close().await,
            Store::Postgres(store) => store.close().await,
        }
    }
}

async fn open_sqlite(file: &Path, missing: MissingFile) -> Result<SqliteStore, StartError> {
    if missing == MissingFile::Refuse && !file.exists() {
        return Err(StartError::NoFile { file: file.into() });
    }
    let unusable = |cause| StartError::Sqlite {
        file: file.into(),
        cause,
    };
    if file.exists()
        && let Some(table) = foreign_table(file).await.map_err(unusable)?
    {
        let file = file.into();
        return Err(StartError::ForeignFile { file, table });
    }
    let opened = SqliteStore::open(file, &SqliteSettings::default()).await;
    opened.map_err(unusable)
}

/// A URL that the driver cannot read is a wrong setting; what the driver says of it shows no password.
fn unusable(error: StoreError) -> StartError {
    let StoreError::Refused { what } = &error else {
        return StartError::Postgres(error);
    };
    let Some(fault) = what.strip_prefix(URL_FAULT) else {
        return StartError::Postgres(error);
    };
    StartError::Setting {
        setting: "DATABASE_URL",
        why: format!(
            "cannot be used ({fault}): it must be `postgres://user:password@host:port/database`"
        ),
    }
}

/// Without the schema the database would refuse every request: better not to start.
async fn has_schema(store: &PgStore) -> Result<(), StartError> {
    let schema = store.schema().await.map_err(StartError::Postgres)?;
    if !schema.is_enough() {
        return Err(StartError::Schema(schema.to_string()));
    }
    if schema != Schema::Current {
        tracing::warn!("the database's schema {schema}");
    }
    Ok(())
}
