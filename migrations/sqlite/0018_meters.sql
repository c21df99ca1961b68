-- Use on demand on its way to a payment provider's meter. What is known of a period and of an entry is JSON; what is looked for stands
-- beside it.
create table meter_marks (
    provider text not null,
    mode text not null,
    mark integer not null,
    constraint meter_marks_key primary key (provider, mode)
) strict, without rowid;

create table meter_periods (
    account text not null,
    provider text not null,
    mode text not null,
    bucket text not null,
    version integer not null,
    next_at integer,
    ends_at integer,
    document text not null,
    constraint meter_periods_key primary key (account, provider, mode, bucket),
    constraint meter_periods_version_counts check (version > 0)
) strict;

create index meter_periods_by_next on meter_periods (next_at) where next_at is not null;

create table meter_entries (
    account text not null,
    provider text not null,
    mode text not null,
    bucket text not null,
    entry text not null,
    state text not null,
    booked_at integer not null,
    at integer not null,
    sent_at integer,
    document text not null,
    constraint meter_entries_key primary key (account, provider, mode, bucket, entry)
) strict;

create index meter_entries_open on meter_entries (account, provider, mode, bucket, booked_at, entry)
    where state in ('waiting', 'sending', 'cancelling');
create index meter_entries_told on meter_entries (account, provider, mode, bucket, sent_at) where state = 'told';
create index meter_entries_by_at on meter_entries (account, at);
create index meter_entries_by_booked on meter_entries (booked_at);
