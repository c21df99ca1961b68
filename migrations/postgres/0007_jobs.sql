-- Leases and the history of jobs. A lease that was given back keeps its row, so that its epoch never goes back.

create table leases (
    name text collate "C" not null,
    owner text,
    epoch bigint not null,
    until_at timestamptz not null,
    constraint leases_pkey primary key (name),
    constraint leases_epoch_check check (epoch > 0)
);

create table job_runs (
    id uuid not null,
    job text collate "C" not null,
    asked_by text not null,
    filter text,
    owner text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    state text not null,
    summary jsonb not null,
    constraint job_runs_pkey primary key (id)
);

create index job_runs_job_key on job_runs (job, started_at);
create index job_runs_started_key on job_runs (started_at);

create table job_batches (
    run uuid not null,
    number bigint not null,
    ended_at timestamptz not null,
    summary jsonb not null,
    constraint job_batches_pkey primary key (run, number)
);
