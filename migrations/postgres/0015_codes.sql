-- Codes that are redeemed for credits, a boost or a plan, by the hash of their secret; never the secret.
-- A code and its uses lie in the shard that the program computes from the hash, so that a use is claimed within one shard.
-- A code has all that decides whether it may be used. What it gives is JSON, kept as the text that it was written as.

create table code_batches (
    id uuid not null,
    shard smallint not null,
    name text not null,
    gift text not null,
    uses_max bigint not null,
    from_at timestamptz,
    until_at timestamptz,
    count bigint not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    body_hash bytea not null,
    constraint code_batches_pkey primary key (id, shard),
    constraint code_batches_shard_check check (shard >= 0 and shard < 64)
);

create index code_batches_created_key on code_batches (created_at, id);

create table codes (
    hash bytea not null,
    shard smallint not null,
    id uuid not null,
    batch uuid not null,
    number bigint not null,
    prefix text not null,
    gift text not null,
    uses_max bigint not null,
    from_at timestamptz,
    until_at timestamptz,
    uses bigint not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint codes_pkey primary key (hash, shard),
    constraint codes_shard_check check (shard >= 0 and shard < 64),
    constraint codes_hash_check check (octet_length(hash) = 32),
    constraint codes_uses_check check (uses >= 0 and uses <= uses_max)
);

create index codes_id_key on codes (id);
create index codes_batch_key on codes (batch, id);

create table code_uses (
    hash bytea not null,
    shard smallint not null,
    account text collate "C" not null,
    key text,
    claimed_at timestamptz not null,
    tries bigint not null,
    refused bigint not null,
    done_at timestamptz,
    constraint code_uses_pkey primary key (hash, account, shard),
    constraint code_uses_shard_check check (shard >= 0 and shard < 64),
    constraint code_uses_refused_check check (refused >= 0 and refused <= tries)
);

-- How often an account tried what is no code; in the shard of the account itself.
create table code_failures (
    account text collate "C" not null,
    shard smallint not null,
    began_at timestamptz not null,
    failures bigint not null,
    constraint code_failures_pkey primary key (account, shard),
    constraint code_failures_shard_check check (shard >= 0 and shard < 64)
);
