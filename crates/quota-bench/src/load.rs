//! Load on an engine in this process: so many requests in flight, each caller waiting for its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use quota_core::amount::Amount;
use quota_core::command::{Command, Consume};
use quota_core::ids::{FeatureCode, IdempotencyKey};
use quota_core::item::Item;
use quota_core::origin::Origin;
use quota_service::{Ask, Engine};

use crate::error::{BenchError, other};
use crate::machine::{Spent, Usage, as_float};
use crate::seed::Caller;

/// What a load came to.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Accepted requests a second.
    pub rate: f64,
    /// Time to the answer, in microseconds.
    pub latency: Histogram<u64>,
    /// CPU microseconds of all our processes for each accepted request.
    pub cpu_micros: f64,
    /// Who used the machine.
    pub spent: Spent,
}

impl Measured {
    /// A quantile of the latency, in milliseconds.
    pub fn millis(&self, quantile: f64) -> f64 {
        as_float(self.latency.value_at_quantile(quantile)) / 1000.0
    }

    /// Puts a measurement together.
    pub fn of(accepted: u64, latency: Histogram<u64>, took: Duration, spent: Spent) -> Self {
        Self {
            rate: as_float(accepted) / took.as_secs_f64(),
            latency,
            cpu_micros: spent.ours_seconds * 1e6 / as_float(accepted.max(1)),
            spent,
        }
    }
}

/// An empty histogram, 1 µs to 1 minute.
pub fn histogram() -> Result<Histogram<u64>, BenchError> {
    Histogram::new_with_bounds(1, 60_000_000, 3).map_err(other)
}

/// How much load, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Requests that wait for their answer at any time.
    pub in_flight: usize,
    /// For how long.
    pub lasts: Duration,
    /// Requests a second in all, if it is not as many as possible.
    pub rate: Option<f64>,
}

static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

/// Consumes one unit again and again, each caller in its turn, each with a key of its own.
pub async fn run(
    engine: &Engine,
    callers: &Arc<Vec<Caller>>,
    load: Load,
) -> Result<Measured, BenchError> {
    let before = Usage::now();
    let begun = Instant::now();
    let until = begun + load.lasts;
    let tasks: Vec<_> = (0..load.in_flight)
        .map(|lane| {
            let (engine, callers) = (engine.clone(), Arc::clone(callers));
            tokio::spawn(async move { lane_of(engine, callers, lane, until, load).await })
        })
        .collect();
    let (mut accepted, mut latency) = (0, histogram()?);
    for task in tasks {
        let (count, of_lane) = task.await.map_err(other)??;
        accepted += count;
        latency.add(&of_lane).map_err(other)?;
    }
    let took = begun.elapsed();
    let spent = Usage::now().since(&before);
    Ok(Measured::of(accepted, latency, took, spent))
}

async fn lane_of(
    engine: Engine,
    callers: Arc<Vec<Caller>>,
    lane: usize,
    until: Instant,
    load: Load,
) -> Result<(u64, Histogram<u64>), BenchError> {
    let feature = FeatureCode::new("calls").map_err(other)?;
    let amount = Amount::new(1).map_err(other)?;
    let (mut accepted, mut latency) = (0, histogram()?);
    // A stride that is prime to the number of callers visits them all, each lane from its own place.
    let mut place = lane * 7919;
    let pause = load
        .rate
        .map(|rate| Duration::from_secs_f64(load_share(load.in_flight) / rate));
    // Lanes begin one after the other, not all at once.
    let place_in_pause = load_share(lane) / load_share(load.in_flight);
    let first = pause.unwrap_or_default().mul_f64(place_in_pause);
    let mut next = Instant::now() + first;
    while Instant::now() < until {
        if let Some(pause) = pause {
            tokio::time::sleep_until(next.into()).await;
            next += pause;
        }
        place = (place + 1_000_003) % callers.len();
        let caller = &callers[place];
        let number = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let ask = Ask {
            account: caller.account.clone(),
            key: Some(IdempotencyKey::new(&format!("bench-{number:012}")).map_err(other)?),
            command: Command::Consume(Consume {
                token: caller.token.clone(),
                items: vec![Item {
                    feature: feature.clone(),
                    amount,
                }],
            }),
            origin: Origin::default(),
        };
        let asked = Instant::now();
        let reply = engine.submit(ask).await.map_err(other)?;
        if !reply.operation.answer.is_allowed() || reply.is_replay {
            return Err(BenchError::Failed(format!("not accepted: {reply:?}")));
        }
        accepted += 1;
        let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        latency.saturating_record(micros);
    }
    Ok((accepted, latency))
}

fn load_share(in_flight: usize) -> f64 {
    as_float(u64::try_from(in_flight).unwrap_or(u64::MAX))
}
