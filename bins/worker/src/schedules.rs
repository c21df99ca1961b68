//! When each job runs: a cron expression and a time zone for each, by flag or environment.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use jobs::{JobName, Schedule};

/// The flags and environment names of one job.
struct Names {
    job: JobName,
    cron: &'static str,
    cron_env: &'static str,
    zone: &'static str,
    zone_env: &'static str,
}

macro_rules! names {
    ($($job:ident $flag:literal $env:literal;)*) => {
        [$(Names {
            job: JobName::$job,
            cron: concat!($flag, "-cron"),
            cron_env: concat!($env, "_CRON"),
            zone: concat!($flag, "-zone"),
            zone_env: concat!($env, "_ZONE"),
        }),*]
    };
}

const NAMES: [Names; 8] = names![
    ExpireSubscriptions "expire-subscriptions" "EXPIRE_SUBSCRIPTIONS";
    ResetDaily "reset-daily" "RESET_DAILY";
    ResetMonthly "reset-monthly" "RESET_MONTHLY";
    SweepReservations "sweep-reservations" "SWEEP_RESERVATIONS";
    DispatchOutbox "dispatch-outbox" "DISPATCH_OUTBOX";
    Prune "prune" "PRUNE";
    Audit "audit" "AUDIT";
    AuditFull "audit-full" "AUDIT_FULL";
];
const ZONE: &str = "jobs-zone";

/// The schedules as they were set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedules(pub(crate) BTreeMap<JobName, Schedule>);

impl Args for Schedules {
    fn augment_args(command: Command) -> Command {
        let command = command.next_help_heading("Schedules").arg(
            setting(ZONE, "JOBS_ZONE", "ZONE", zone)
                .default_value("UTC")
                .help("The zone of every job's times that has none of its own"),
        );
        NAMES.iter().fold(command, |command, names| {
            let job = names.job;
            let cron = setting(names.cron, names.cron_env, "CRON", cron)
                .default_value(job.default_cron())
                .help(format!(
                    "When {job} runs: minute hour day month weekday, or `never`"
                ));
            let zone = setting(names.zone, names.zone_env, "ZONE", zone)
                .help(format!("The zone in which that is meant for {job}"));
            command.arg(cron).arg(zone)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Schedules {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let every = matches.get_one::<Tz>(ZONE).copied().unwrap_or(Tz::UTC);
        let mut schedules = BTreeMap::new();
        for names in &NAMES {
            let zone = matches.get_one::<Tz>(names.zone).copied().unwrap_or(every);
            let text = matches.get_one::<String>(names.cron).map(String::as_str);
            let text = text.unwrap_or(names.job.default_cron());
            // Read once already, to be refused with its name; the zone was not known then.
            let schedule = Schedule::parse(text, zone)
                .map_err(|error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, error))?;
            schedules.insert(names.job, schedule);
        }
        Ok(Self(schedules))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn setting<T: Clone + Send + Sync + 'static>(
    flag: &'static str,
    env: &'static str,
    value: &'static str,
    parse: fn(&str) -> Result<T, String>,
) -> Arg {
    Arg::new(flag)
        .long(flag)
        .env(env)
        .hide_env_values(true)
        .global(true)
        .value_name(value)
        .value_parser(parse)
}

fn cron(text: &str) -> Result<String, String> {
    let read = Schedule::parse(text, Tz::UTC);
    read.map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn zone(text: &str) -> Result<Tz, String> {
    let read = text.parse();
    read.map_err(|_| "use a name of the tz database, such as UTC or Europe/Berlin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_its_flags() {
        let named: Vec<JobName> = NAMES.iter().map(|names| names.job).collect();
        assert_eq!(named, JobName::ALL);
        for names in &NAMES {
            let flag = names.job.as_str().replace('_', "-");
            assert_eq!(names.cron, format!("{flag}-cron"));
            assert_eq!(
                names.zone_env,
                format!("{}_ZONE", names.job.as_str().to_uppercase())
            );
        }
    }
}
