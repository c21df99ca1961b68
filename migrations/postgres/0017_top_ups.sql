-- Packs that are bought by themselves when credits run low: which accounts may want one, and each top-up from its beginning
-- on. Nothing of it is read or written on the way of a request for quota.

create table top_up_accounts (
    account text collate "C" not null,
    shard smallint not null,
    constraint top_up_accounts_pkey primary key (account, shard),
    constraint top_up_accounts_shard_check check (shard >= 0 and shard < 64)
);

create table top_ups (
    account text collate "C" not null,
    shard smallint not null,
    id uuid not null,
    provider text collate "C" not null,
    mode text collate "C" not null,
    customer text,
    pack text not null,
    amount bigint not null,
    currency text not null,
    state text collate "C" not null,
    opened_at timestamptz not null,
    tries bigint not null,
    next_look_at timestamptz not null,
    payment text,
    ended_at timestamptz,
    failure text,
    error text,
    version bigint not null,
    constraint top_ups_pkey primary key (account, id, shard),
    constraint top_ups_shard_check check (shard >= 0 and shard < 64),
    constraint top_ups_amount_check check (amount >= 0),
    constraint top_ups_tries_check check (tries >= 0),
    constraint top_ups_version_check check (version > 0),
    constraint top_ups_state_check check (state in ('open', 'paid', 'failed')),
    constraint top_ups_ended_check check ((state = 'open') = (ended_at is null))
);

-- Of an account one is open at most.
create unique index top_ups_open_key on top_ups (account, shard) where state = 'open';
create index top_ups_opened_key on top_ups (account, opened_at, id);
create index top_ups_due_key on top_ups (next_look_at, account, id) where state = 'open';
