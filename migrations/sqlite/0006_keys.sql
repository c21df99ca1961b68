-- API keys: the secret's hash, never the secret.
create table api_keys (
    id blob not null,
    name text not null,
    scope text not null,
    prefix text not null,
    hash blob not null,
    created_at integer not null,
    revoked_at integer,
    constraint api_keys_key primary key (id),
    constraint api_keys_hash unique (hash),
    constraint api_keys_scope_is_known check (scope in ('read', 'write', 'admin'))
) strict;
