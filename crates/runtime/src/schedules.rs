//! When each job runs: a cron expression and a time zone for each, by flag or environment.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use jobs::{JobName, Schedule};

/// When each job runs. Every job has two settings, named after it: `--prune-cron` and `--prune-zone`.
#[derive(Debug, Clone, Default)]
pub struct ScheduleArgs(pub(crate) BTreeMap<JobName, Schedule>);

/// The flag of the zone of all jobs that have none of their own.
const ZONE: &str = "jobs-zone";

/// The flag and the environment name of a job's cron expression or zone.
fn names(job: JobName, what: &str) -> (String, String) {
    let flag = format!("{}-{what}", job.as_str().replace('_', "-"));
    let env = format!("QUOTA_{}", flag.replace('-', "_").to_uppercase());
    (flag, env)
}

impl Args for ScheduleArgs {
    fn augment_args(command: Command) -> Command {
        let every = (ZONE.to_owned(), "QUOTA_JOBS_ZONE".to_owned());
        let command = command.next_help_heading("Schedules").arg(
            setting(every, "ZONE", zone)
                .default_value("UTC")
                .help("The zone of the times of every job that has no zone of its own"),
        );
        JobName::all().fold(command, |command, job| {
            let cron = setting(names(job, "cron"), "CRON", cron)
                .default_value(job.spec().default_cron)
                .help(format!(
                    "When {job} runs: minute hour day month weekday, or `never`"
                ));
            let zone = setting(names(job, "zone"), "ZONE", zone)
                .help(format!("The zone of the times of {job}"));
            command.arg(cron).arg(zone)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ScheduleArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let every = matches.get_one::<Tz>(ZONE).copied().unwrap_or(Tz::UTC);
        let mut schedules = BTreeMap::new();
        for job in JobName::all() {
            let (cron, zone) = (names(job, "cron").0, names(job, "zone").0);
            let zone = matches.get_one::<Tz>(&zone).copied().unwrap_or(every);
            let text = matches.get_one::<String>(&cron).map(String::as_str);
            let text = text.unwrap_or(job.spec().default_cron);
            // It parsed before, when an error could name the flag; the zone was not known then.
            let schedule = Schedule::parse(text, zone)
                .map_err(|error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, error))?;
            schedules.insert(job, schedule);
        }
        Ok(Self(schedules))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn setting<T: Clone + Send + Sync + 'static>(
    (flag, env): (String, String),
    value: &'static str,
    parse: fn(&str) -> Result<T, String>,
) -> Arg {
    Arg::new(flag.clone())
        .long(flag)
        .env(env)
        .hide_env_values(true)
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
    fn a_jobs_settings_are_named_after_it() {
        let (flag, env) = names(jobs::work::close_windows_daily::NAME, "cron");
        assert_eq!(flag, "reset-daily-cron");
        assert_eq!(env, "QUOTA_RESET_DAILY_CRON");
    }

    #[test]
    fn a_job_without_a_zone_of_its_own_runs_in_the_zone_of_all() {
        let command = ScheduleArgs::augment_args(Command::new("test"));
        let words = [
            "test",
            "--jobs-zone",
            "Europe/Berlin",
            "--prune-zone",
            "Asia/Tokyo",
            "--audit-cron",
            "never",
        ];
        let matches = command.try_get_matches_from(words).expect("it parses");
        let ScheduleArgs(schedules) = ScheduleArgs::from_arg_matches(&matches).expect("it reads");
        assert_eq!(schedules.len(), JobName::all().len());
        let zone = |job| schedules.get(&job).map(Schedule::zone);
        assert_eq!(zone(jobs::work::prune::NAME), Some(Tz::Asia__Tokyo));
        assert_eq!(
            zone(jobs::work::close_windows_daily::NAME),
            Some(Tz::Europe__Berlin)
        );
        let audit = schedules
            .get(&jobs::work::audit::NAME)
            .map(ToString::to_string);
        assert_eq!(audit.as_deref(), Some("never"));
    }
}
