-- API keys: hashes only.

create table api_keys (
    id uuid not null,
    name text not null,
    scope text not null,
    prefix text not null,
    hash bytea not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint api_keys_pkey primary key (id),
    constraint api_keys_hash_key unique (hash),
    constraint api_keys_hash_check check (octet_length(hash) = 32)
);
