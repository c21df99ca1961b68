-- Packs that are bought by themselves when credits run low: which accounts may want one, and each top-up from its beginning
-- on. Nothing of it is read or written on the way of a request for quota.
create table top_up_accounts (
    account text not null,
    constraint top_up_accounts_key primary key (account)
) strict;

create table top_ups (
    account text not null,
    id blob not null,
    provider text not null,
    mode text not null,
    customer text,
    pack text not null,
    amount integer not null,
    currency text not null,
    state text not null,
    opened_at integer not null,
    tries integer not null,
    next_look_at integer not null,
    payment text,
    ended_at integer,
    failure text,
    error text,
    version integer not null,
    constraint top_ups_key primary key (account, id),
    constraint top_ups_amount_sum check (amount >= 0),
    constraint top_ups_tries_count check (tries >= 0),
    constraint top_ups_version_count check (version > 0),
    constraint top_ups_state_word check (state in ('open', 'paid', 'failed')),
    constraint top_ups_ended_when check ((state = 'open') = (ended_at is null))
) strict;

-- Of an account one is open at most.
create unique index top_ups_open on top_ups (account) where state = 'open';
create index top_ups_by_opened on top_ups (account, opened_at, id);
create index top_ups_due on top_ups (next_look_at, account, id) where state = 'open';
