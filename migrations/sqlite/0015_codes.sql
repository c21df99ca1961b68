-- Codes that are redeemed for credits, a boost or a plan, by the hash of their secret; never the secret.
-- A code has all that decides whether it may be used. What it gives is JSON.
create table code_batches (
    id blob not null,
    name text not null,
    gift text not null,
    uses_max integer not null,
    from_at integer,
    until_at integer,
    count integer not null,
    created_at integer not null,
    revoked_at integer,
    body_hash blob not null,
    constraint code_batches_key primary key (id)
) strict;

create index code_batches_by_created on code_batches (created_at, id);

create table codes (
    hash blob not null,
    id blob not null,
    batch blob not null,
    number integer not null,
    prefix text not null,
    gift text not null,
    uses_max integer not null,
    from_at integer,
    until_at integer,
    uses integer not null,
    created_at integer not null,
    revoked_at integer,
    constraint codes_key primary key (hash),
    constraint codes_hash_length check (length(hash) = 32),
    constraint codes_uses_count check (uses >= 0 and uses <= uses_max)
) strict;

create index codes_by_id on codes (id);
create index codes_by_batch on codes (batch, id);

create table code_uses (
    hash blob not null,
    account text not null,
    key text,
    claimed_at integer not null,
    tries integer not null,
    refused integer not null,
    done_at integer,
    constraint code_uses_key primary key (hash, account),
    constraint code_uses_refused_count check (refused >= 0 and refused <= tries)
) strict;

-- How often an account tried what is no code.
create table code_failures (
    account text not null,
    began_at integer not null,
    failures integer not null,
    constraint code_failures_key primary key (account)
) strict;
