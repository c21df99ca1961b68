//! What the machine is, and who used it: a round counts only where others used little of it.

use std::collections::HashMap;
use std::fs;

/// Clock ticks a second, as Linux reports CPU time to programs.
const TICKS_A_SECOND: f64 = 100.0;

/// CPU time so far: of the whole machine, and of each process, in ticks.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    busy: u64,
    total: u64,
    ours: HashMap<u32, u64>,
}

/// CPU time between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Seconds that this run's processes used.
    pub ours_seconds: f64,
    /// Share of the machine that other processes used, 0 to 1.
    pub others_share: f64,
}

impl Usage {
    /// Reads it now. Ours are this process and all that descend from it.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .filter_map(|t| t.parse().ok())
            .collect();
        let total = ticks.iter().take(8).sum();
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: u64::saturating_sub(total, idle),
            total,
            ours: ours(),
        }
    }

    /// What was used since `before`.
    pub fn since(&self, before: &Self) -> Spent {
        let ours: u64 = self
            .ours
            .iter()
            .map(|(id, ticks)| ticks.saturating_sub(before.ours.get(id).copied().unwrap_or(0)))
            .sum();
        let busy = self.busy.saturating_sub(before.busy);
        let total = self.total.saturating_sub(before.total).max(1);
        Spent {
            ours_seconds: as_float(ours) / TICKS_A_SECOND,
            others_share: as_float(busy.saturating_sub(ours)) / as_float(total),
        }
    }
}

/// A count as a float, for ratios.
#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of measured counts needs no 53 bits"
)]
pub fn as_float(count: u64) -> f64 {
    count as f64
}

fn ours() -> HashMap<u32, u64> {
    let mut parents = HashMap::new();
    let mut ticks = HashMap::new();
    let Ok(folder) = fs::read_dir("/proc") else {
        return ticks;
    };
    let ids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for id in ids {
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |at: usize| {
            fields
                .get(at)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        parents.insert(id, u32::try_from(number(1)).unwrap_or(0));
        // utime, stime; and those of children that have ended (pgbench, say)
        ticks.insert(id, number(11) + number(12));
    }
    let me = std::process::id();
    let is_ours = |id: u32| {
        let mut at = id;
        for _ in 0..64 {
            if at == me {
                return true;
            }
            match parents.get(&at) {
                Some(parent) if *parent != 0 => at = *parent,
                _ => return false,
            }
        }
        false
    };
    let postgres = |id: &u32| {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        matches!(name.trim(), "postgres" | "redis-server" | "pgbench")
    };
    ticks.retain(|id, _| is_ours(*id) || postgres(id));
    ticks
}

/// The machine, in a line.
pub fn describe() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| {
            line.strip_prefix("model name")?
                .split_once(": ")
                .map(|(_, m)| m.trim())
        })
        .unwrap_or("unknown CPU")
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    format!("{model}, {cores} cores, {} GiB", kib / 1024 / 1024)
}

/// Resident memory of a process, in bytes.
pub fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let kib: u64 = status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    kib * 1024
}
