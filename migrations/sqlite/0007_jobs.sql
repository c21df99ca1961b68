-- Leases with their fencing epoch, and the history of runs and batches.
create table leases (
    name text not null,
    owner text,
    epoch integer not null,
    until_at integer not null,
    constraint leases_key primary key (name),
    constraint leases_epoch_counts check (epoch > 0)
) strict;

create table job_runs (
    id blob not null,
    number integer not null,
    job text not null,
    asked_by text not null,
    filter text,
    owner text not null,
    started_at integer not null,
    ended_at integer,
    state text not null,
    summary text not null,
    constraint job_runs_key primary key (id)
) strict;

create unique index job_runs_by_number on job_runs (number);
create index job_runs_by_job on job_runs (job, number);

create table job_batches (
    run blob not null,
    number integer not null,
    ended_at integer not null,
    summary text not null,
    constraint job_batches_key primary key (run, number)
) strict;
