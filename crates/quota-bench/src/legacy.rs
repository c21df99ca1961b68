//! The older design: a lock in Redis around reads and writes of PostgreSQL, one request at a time.

use std::time::{Duration, Instant};

use deadpool_redis::redis::{Script, cmd};
use deadpool_redis::{Pool, Runtime};
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::error::{BenchError, other};
use crate::load::{Measured, histogram};
use crate::machine::Usage;

const SCHEMA: &str = "create table legacy_users (id int primary key, used bigint not null, granted bigint not null);
insert into legacy_users values (1, 0, 1000000000000);
create table legacy_usage (id bigint generated always as identity primary key, user_id int not null, amount bigint not null, at timestamptz not null default now())";

/// How long a lock lasts, in milliseconds.
const LOCK_MILLIS: u64 = 5_000;
/// Waits between two tries for the lock.
const BACKOFF: Duration = Duration::from_millis(10);
/// Tries for the lock.
const TRIES_MAX: u32 = 50;

/// Both servers of the older design.
pub struct Legacy {
    redis: Pool,
    postgres: PgPool,
}

impl Legacy {
    /// Connects and makes the tables.
    pub async fn prepare(postgres: &str, redis: &str) -> Result<Self, BenchError> {
        let pool = PgPoolOptions::new().max_connections(20);
        let postgres = pool.connect(postgres).await.map_err(other)?;
        sqlx::raw_sql(SCHEMA)
            .execute(&postgres)
            .await
            .map_err(other)?;
        let mut config = deadpool_redis::Config::from_url(redis);
        config.pool = Some(deadpool_redis::PoolConfig::new(50));
        let redis = config.create_pool(Some(Runtime::Tokio1)).map_err(other)?;
        Ok(Self { redis, postgres })
    }

    /// Fifty tasks on one user; those that did not get the lock in time do not count.
    pub async fn run(&self, lasts: Duration) -> Result<Measured, BenchError> {
        let before = Usage::now();
        let begun = Instant::now();
        let until = begun + lasts;
        let lanes = (0..50_u32).map(|lane| async move {
            let (mut done, mut latency) = (0_u64, histogram()?);
            while Instant::now() < until {
                let asked = Instant::now();
                if self.consume(lane).await? {
                    done += 1;
                    let micros = asked.elapsed().as_micros();
                    latency.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
                }
            }
            Ok::<_, BenchError>((done, latency))
        });
        let (mut done, mut latency) = (0, histogram()?);
        for lane in futures::future::join_all(lanes).await {
            let (count, of_lane) = lane?;
            done += count;
            latency.add(&of_lane).map_err(other)?;
        }
        Ok(Measured::of(
            done,
            latency,
            begun.elapsed(),
            Usage::now().since(&before),
        ))
    }

    async fn consume(&self, lane: u32) -> Result<bool, BenchError> {
        let mut redis = self.redis.get().await.map_err(other)?;
        let mut is_locked = false;
        for _ in 0..TRIES_MAX {
            let mut lock = cmd("SET");
            lock.arg("lock:1")
                .arg(lane)
                .arg("NX")
                .arg("PX")
                .arg(LOCK_MILLIS);
            let answer: Option<String> = lock.query_async(&mut redis).await.map_err(other)?;
            is_locked = answer.is_some();
            if is_locked {
                break;
            }
            tokio::time::sleep(BACKOFF).await;
        }
        if !is_locked {
            return Ok(false);
        }
        let read = "select used, granted from legacy_users where id = 1";
        let mut found = (0_i64, 0_i64);
        for _ in 0..2 {
            found = sqlx::query_as(read)
                .fetch_one(&self.postgres)
                .await
                .map_err(other)?;
        }
        let has_room = found.0 < found.1;
        if has_room {
            let charge = "update legacy_users set used = $1 where id = 1";
            let charge = sqlx::query(charge).bind(found.0 + 1);
            charge.execute(&self.postgres).await.map_err(other)?;
            let note = "insert into legacy_usage (user_id, amount) values (1, 1)";
            sqlx::query(note)
                .execute(&self.postgres)
                .await
                .map_err(other)?;
            let mut forget = cmd("DEL");
            forget.arg("quota:1").arg("usage:1").arg("overview:1");
            let () = forget.query_async(&mut redis).await.map_err(other)?;
        }
        let unlock = Script::new(
            "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end",
        );
        let unlocked: Option<i64> = unlock
            .key("lock:1")
            .arg(lane)
            .invoke_async(&mut redis)
            .await
            .map_err(other)?;
        Ok(has_room && unlocked.is_some())
    }
}
