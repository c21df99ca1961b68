-- Use on demand on its way to a payment provider's meter. Every row lies in the shard of the account that owes it, not of its home.

create table meter_marks (
    provider text collate "C" not null,
    mode text collate "C" not null,
    mark bigint not null,
    constraint meter_marks_pkey primary key (provider, mode)
);

-- What is known of a period and of an entry is JSON, kept as the text that it was written as; what is looked for stands beside it.
create table meter_periods (
    account text collate "C" not null,
    shard smallint not null,
    provider text collate "C" not null,
    mode text collate "C" not null,
    bucket text collate "C" not null,
    version bigint not null,
    next_at timestamptz,
    ends_at timestamptz,
    document text not null,
    constraint meter_periods_pkey primary key (account, provider, mode, bucket, shard),
    constraint meter_periods_shard_check check (shard >= 0 and shard < 64),
    constraint meter_periods_version_check check (version > 0)
);

create index meter_periods_next_key on meter_periods (next_at) where next_at is not null;

create table meter_entries (
    account text collate "C" not null,
    shard smallint not null,
    provider text collate "C" not null,
    mode text collate "C" not null,
    bucket text collate "C" not null,
    entry text collate "C" not null,
    state text collate "C" not null,
    booked_at timestamptz not null,
    at timestamptz not null,
    sent_at timestamptz,
    document text not null,
    constraint meter_entries_pkey primary key (account, provider, mode, bucket, entry, shard),
    constraint meter_entries_shard_check check (shard >= 0 and shard < 64)
);

create index meter_entries_open_key on meter_entries (account, provider, mode, bucket, booked_at, entry)
    where state in ('waiting', 'sending', 'cancelling');
create index meter_entries_told_key on meter_entries (account, provider, mode, bucket, sent_at)
    where state = 'told';
create index meter_entries_at_key on meter_entries (account, at);
create index meter_entries_booked_key on meter_entries (booked_at);
