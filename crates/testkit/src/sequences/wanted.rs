//! Which sequences a test runs: those that failed once, and then new ones.

use chrono::TimeDelta;

use super::Plan;

/// Sequences with keys, and as many without, for each database when `QUOTA_SEQUENCES` does not say how many: seconds instead
/// of minutes. `just test-long` runs ten times as many.
const SEQUENCES: u64 = 250;
/// Sequences that are run side by side, with the same pauses: few enough that none waits long for a connection.
const AT_ONCE: usize = 500;
/// Operations in each.
const STEPS: usize = 50;
/// `seed steps time-seed days keys|no-keys varied|plain`, with a line above each that says what it once found.
const REGRESSIONS: &str = include_str!("regressions.txt");

/// The plans of a test: `with_keys` within 33 days, as keys are looked for over 35, or else over 900 days. Seeds begin at
/// `first`, another one for each store.
///
/// # Panics
/// When `QUOTA_SEQUENCES` is no number.
pub fn wanted(first: u64, with_keys: bool) -> Vec<Plan> {
    let said = std::env::var("QUOTA_SEQUENCES").ok();
    let sequences = said.map_or(SEQUENCES, |said| {
        said.parse().expect("QUOTA_SEQUENCES is a number")
    });
    let seeds: Vec<u64> = (first..first + sequences).collect();
    let plan = |seeds: &[u64]| Plan {
        prefix: "s".to_owned(),
        seeds: seeds.to_vec(),
        steps: STEPS,
        time_seed: seeds[0] + if with_keys { 1 } else { 2 },
        longest: TimeDelta::days(if with_keys { 33 } else { 900 }),
        with_keys,
        is_varied: true,
    };
    seeds.chunks(AT_ONCE).map(plan).collect()
}

/// The sequences that failed once, with keys or without; each runs alone.
///
/// # Panics
/// When a line of the list cannot be read.
pub fn regressions(with_keys: bool) -> Vec<Plan> {
    let lines = REGRESSIONS.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let plans = lines.enumerate().map(|(number, line)| plan(number, line));
    plans.filter(|plan| plan.with_keys == with_keys).collect()
}

fn plan(number: usize, line: &str) -> Plan {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [seed, steps, time_seed, days, keys, variety] = words[..] else {
        panic!("six words a line, not `{line}`");
    };
    Plan {
        prefix: format!("r{number}-"),
        seeds: vec![seed.parse().expect("a seed")],
        steps: steps.parse().expect("a number of steps"),
        time_seed: time_seed.parse().expect("a seed"),
        longest: TimeDelta::days(days.parse().expect("a number of days")),
        with_keys: keys == "keys",
        is_varied: variety == "varied",
    }
}
