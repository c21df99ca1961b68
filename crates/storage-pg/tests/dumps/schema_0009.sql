--
-- PostgreSQL database dump
--


-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: operations_add_indexes(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.operations_add_indexes(partition text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    execute format('create unique index %I on %I (home, life, sequence, shard)', partition || '_sequence', partition);
    execute format('create index %I on %I (home, refers_to) where kind = ''refund''',
                   partition || '_refund', partition);
    execute format('create index %I on %I using brin (at) with (pages_per_range = 64, autosummarize = on)',
                   partition || '_at', partition);
    -- The last one made is taken where an empty partition gives no reason for another.
    execute format('create unique index %I on %I (home, account, key, shard) where key is not null',
                   partition || '_key', partition);
end
$$;


--
-- Name: operations_add_statistics(text, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.operations_add_statistics(partition text, moment timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $_$
begin
    execute format(
        'insert into %I (home, shard, account, id, sequence, life, at, kind, key, body_hash, entries, answer)
         select ''org:'' || mod(n, 10), mod(n, 64), ''user:'' || n, gen_random_uuid(), n, 1, $1, ''consume'',
             ''key-'' || n, decode(repeat(''00'', 32), ''hex''), ''[]'', ''{}''
         from generate_series(1, 1000) as n',
        partition) using moment;
    execute format('analyze %I', partition);
    execute format('truncate %I', partition);
end
$_$;


--
-- Name: operations_make_month(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.operations_make_month(moment timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO '$user', 'public'
    AS $$
declare
    starts_at timestamptz := date_trunc('month', moment, 'UTC');
    ends_at timestamptz := (date_trunc('month', moment at time zone 'UTC') + interval '1 month') at time zone 'UTC';
    partition text := 'operations_' || to_char(moment at time zone 'UTC', '"y"YYYY"m"MM');
begin
    perform pg_advisory_xact_lock(4117219051);
    if to_regclass(quote_ident(partition)) is not null then
        return false;
    end if;
    -- What waits leaves first, and comes back when the statistics are there: a partition that is distributed becomes so
    -- when it is attached.
    lock table operations_default in access exclusive mode;
    create temporary table operations_waiting (like operations);
    with moved as (
        delete from operations_default where at >= starts_at and at < ends_at
        returning home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    insert into operations_waiting
        (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin
    from moved;
    execute format('create table %I (like operations including defaults including constraints)', partition);
    perform operations_add_indexes(partition);
    execute format('alter table operations attach partition %I for values from (%L) to (%L)',
                   partition, starts_at, ends_at);
    perform operations_add_statistics(partition, starts_at);
    insert into operations
        (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin
    from operations_waiting;
    drop table operations_waiting;
    return true;
end
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: _sqlx_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);


--
-- Name: accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.accounts (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    life integer DEFAULT 1 NOT NULL,
    terms text NOT NULL,
    due_at timestamp with time zone,
    hold_before timestamp with time zone,
    version bigint NOT NULL,
    books text NOT NULL,
    CONSTRAINT accounts_books_check CHECK (
CASE
    WHEN ((strpos(books, 'grant:'::text) = 0) AND ((strpos(books, '-'::text) = 0) OR (books !~ ':\s*-'::text))) THEN true
    ELSE (NOT jsonb_path_exists((books)::jsonb, '$."balances"[*]?(((@."u" < 0 || @."h" < 0) || @."o" < 0) || @."b" starts with "grant:" && (@."g" < @."u" || @."g" < @."u" + @."h"))'::jsonpath))
END),
    CONSTRAINT accounts_guard_check CHECK (((version > 0) = (account = home))),
    CONSTRAINT accounts_shard_check CHECK (((shard >= 0) AND (shard < 64))),
    CONSTRAINT accounts_version_check CHECK ((version >= 0))
)
WITH (fillfactor='70');


--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    name text NOT NULL,
    scope text NOT NULL,
    prefix text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT api_keys_hash_check CHECK ((octet_length(hash) = 32))
);


--
-- Name: catalogs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.catalogs (
    version bigint NOT NULL,
    document jsonb NOT NULL,
    actor text,
    at timestamp with time zone NOT NULL,
    CONSTRAINT catalogs_version_check CHECK ((version > 0))
);


--
-- Name: closed_balances; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.closed_balances (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    bucket text NOT NULL COLLATE pg_catalog."C",
    balance text NOT NULL,
    CONSTRAINT closed_balances_balance_check CHECK ((NOT jsonb_path_exists((balance)::jsonb, '$?((@."u" < 0 || @."h" < 0) || @."o" < 0)'::jsonpath)))
);


--
-- Name: directory; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.directory (
    account text NOT NULL COLLATE pg_catalog."C",
    home text NOT NULL COLLATE pg_catalog."C",
    life integer DEFAULT 1 NOT NULL
);


--
-- Name: event_cursors; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event_cursors (
    consumer text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    place bigint DEFAULT 0 NOT NULL
);


--
-- Name: job_batches; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.job_batches (
    run uuid NOT NULL,
    number bigint NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    summary jsonb NOT NULL
);


--
-- Name: job_runs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.job_runs (
    id uuid NOT NULL,
    job text NOT NULL COLLATE pg_catalog."C",
    asked_by text NOT NULL,
    filter text,
    owner text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    state text NOT NULL,
    summary jsonb NOT NULL
);


--
-- Name: leases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.leases (
    name text NOT NULL COLLATE pg_catalog."C",
    owner text,
    epoch bigint NOT NULL,
    until_at timestamp with time zone NOT NULL,
    CONSTRAINT leases_epoch_check CHECK ((epoch > 0))
);


--
-- Name: operations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    life integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text COLLATE pg_catalog."C",
    body_hash bytea NOT NULL,
    refers_to uuid,
    entries text NOT NULL,
    answer text NOT NULL,
    origin text,
    CONSTRAINT operations_body_hash_check CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT operations_sequence_check CHECK ((sequence > 0))
)
PARTITION BY RANGE (at);


--
-- Name: operations_default; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations_default (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    life integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text COLLATE pg_catalog."C",
    body_hash bytea NOT NULL,
    refers_to uuid,
    entries text NOT NULL,
    answer text NOT NULL,
    origin text,
    CONSTRAINT operations_body_hash_check CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT operations_sequence_check CHECK ((sequence > 0))
);


--
-- Name: operations_y2026m11; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations_y2026m11 (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    life integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text COLLATE pg_catalog."C",
    body_hash bytea NOT NULL,
    refers_to uuid,
    entries text NOT NULL,
    answer text NOT NULL,
    origin text,
    CONSTRAINT operations_body_hash_check CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT operations_sequence_check CHECK ((sequence > 0))
);


--
-- Name: operations_y2026m12; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations_y2026m12 (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    life integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text COLLATE pg_catalog."C",
    body_hash bytea NOT NULL,
    refers_to uuid,
    entries text NOT NULL,
    answer text NOT NULL,
    origin text,
    CONSTRAINT operations_body_hash_check CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT operations_sequence_check CHECK ((sequence > 0))
);


--
-- Name: operations_y2027m01; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.operations_y2027m01 (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    life integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text COLLATE pg_catalog."C",
    body_hash bytea NOT NULL,
    refers_to uuid,
    entries text NOT NULL,
    answer text NOT NULL,
    origin text,
    CONSTRAINT operations_body_hash_check CHECK ((octet_length(body_hash) = 32)),
    CONSTRAINT operations_sequence_check CHECK ((sequence > 0))
);


--
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outbox (
    shard smallint NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    place bigint,
    home text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind jsonb NOT NULL,
    CONSTRAINT outbox_number_check CHECK ((number > 0))
);


--
-- Name: outbox_places; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outbox_places (
    shard smallint NOT NULL,
    last_place bigint DEFAULT 0 NOT NULL
);


--
-- Name: reservations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reservations (
    home text NOT NULL COLLATE pg_catalog."C",
    shard smallint NOT NULL,
    id uuid NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    expires_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    ended_by uuid,
    late_commit uuid,
    document text NOT NULL
)
WITH (fillfactor='80');


--
-- Name: operations_default; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations ATTACH PARTITION public.operations_default DEFAULT;


--
-- Name: operations_y2026m11; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations ATTACH PARTITION public.operations_y2026m11 FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');


--
-- Name: operations_y2026m12; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations ATTACH PARTITION public.operations_y2026m12 FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');


--
-- Name: operations_y2027m01; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.operations ATTACH PARTITION public.operations_y2027m01 FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');


--
-- Data for Name: _sqlx_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public._sqlx_migrations VALUES (1, 'accounts', '2026-11-28 21:14:24.847216+00', true, '\xfe2d5328c841a13076a960c3660bd3c5a18e89f2af6caa0ece40c6f3ab98a3c86f50a3dc71be883dde9a1b15f4fbe149', 38181005);
INSERT INTO public._sqlx_migrations VALUES (2, 'ledger', '2026-11-28 21:14:24.897283+00', true, '\xda9370920c7b6fc1d9b48029a487bfe29ea682be68f1934633d35e2493f8bd63ec3014cd17e5f458b8a215e115c42c71', 87270454);
INSERT INTO public._sqlx_migrations VALUES (3, 'reservations', '2026-11-28 21:14:25.011582+00', true, '\xd6e181d894e532b839c807eaaa3a3f6a7ac90206487179e8106d96b635fcf22e5cf4eef5d350dc05f78491ea7061dae8', 52900327);
INSERT INTO public._sqlx_migrations VALUES (4, 'catalog', '2026-11-28 21:14:25.070498+00', true, '\xeb78a5e7c7983d0946ca03840c0587422e3ca0af656a3bd5ba8c2652f2e04f0384596f380456105b25372d68abbf9788', 9557018);
INSERT INTO public._sqlx_migrations VALUES (5, 'outbox', '2026-11-28 21:14:25.08265+00', true, '\x9ec334e78625db2a5e6bb3ca27708e2c681b973a13f9992ea6788e39dbb403b775d4adb705996388cbd98389ed9c4a2f', 42970329);
INSERT INTO public._sqlx_migrations VALUES (6, 'keys', '2026-11-28 21:14:25.129449+00', true, '\x62ed91adc524f5ac5c04c7cb7407f0a3b297c68f351b88a09315327e39788730d36b6b3b3c1f360e85026fd0748bd1f3', 21372584);
INSERT INTO public._sqlx_migrations VALUES (7, 'jobs', '2026-11-28 21:14:25.152064+00', true, '\xeaa475c8c080ac25b1cc42c3e6b99f038c7f3e7ba9936daa332f6c3a3c0ae3bfb647c60bec8d8bf0b50c6336c3de51c2', 21318442);
INSERT INTO public._sqlx_migrations VALUES (8, 'roles', '2026-11-28 21:14:25.174394+00', true, '\xc66e92c58f9a9a2b15eb30714e941e73984c3e787dd6f7cbd0395b955dfd4ec2f3be722f23087d34adfd7caac714940a', 5276097);
INSERT INTO public._sqlx_migrations VALUES (9, 'schema_read', '2026-11-28 21:14:25.180383+00', true, '\x59464ed0279c4b02421669b19db621fa5570695718e21d809438649d39e05e5cdf6a27c22c46b5126695eed0eb3c19ae', 3115825);


--
-- Data for Name: accounts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.accounts VALUES ('org:old3other', 39, 'org:old3other', 1, '{"created_at":"2027-01-03T18:13:20Z","time_zone":"UTC","disabled":false,"unlimited":false,"policy":"enforce","overrides":{},"tokens":{},"last_event":1}', NULL, NULL, 3, '{"balances":[]}');
INSERT INTO public.accounts VALUES ('org:old5', 45, 'org:old5', 1, '{"created_at":"2027-01-03T18:13:47Z","time_zone":"UTC","disabled":false,"unlimited":false,"policy":"enforce","subscription":{"plan":"pro","status":"active","anchor_at":"2027-01-10T04:56:57Z","starts_at":"2027-01-10T04:56:57Z","ends_at":"2027-01-18T14:26:13Z","interval":"month","renews":false},"overrides":{},"tokens":{},"last_event":2}', '2027-01-16 00:00:00+00', NULL, 21, '{"balances":[{"b":"window:req:1799971200000000","g":10,"u":7,"s":1799971200000000,"e":1800057600000000},{"b":"standing:sto","g":"unlimited","u":0,"s":1799000027000000}],"lifetime":{"req":7,"sto":0}}');
INSERT INTO public.accounts VALUES ('user:old3x', 6, 'user:old3x', 1, '{"created_at":"2027-01-04T02:51:47Z","time_zone":"UTC","disabled":false,"unlimited":false,"policy":"enforce","overrides":{"req":{"limit":0}},"tokens":{},"last_event":2}', NULL, NULL, 6, '{"balances":[{"b":"trial:req","g":5,"u":3,"s":1799031107000000},{"b":"tracked:alb:1799031107000000","g":"unlimited","u":0,"o":7,"s":1799031107000000}],"lifetime":{"alb":7,"req":3}}');
INSERT INTO public.accounts VALUES ('org:old3', 59, 'org:old3', 1, '{"created_at":"2027-01-03T18:13:47Z","time_zone":"UTC","disabled":false,"unlimited":false,"policy":"enforce","overrides":{},"tokens":{},"left_members":{"user:old3a":{"left_at":"2027-01-18T19:28:33Z","shares":{"tracked:req:1800489600000000":{"u":11},"tracked:tok:1798761600000000":{"u":10}}}},"last_event":1}', '2027-01-12 00:00:00+00', NULL, 34, '{"balances":[{"b":"tracked:req:1799625600000000","g":"unlimited","u":0,"s":1799625600000000,"e":1799712000000000},{"b":"tracked:art:1799000027000000","g":"unlimited","u":8,"s":1799000027000000,"e":1801678427000000},{"b":"tracked:alb:1799000027000000","g":"unlimited","u":4,"s":1799000027000000},{"b":"tracked:req:1800057600000000","g":"unlimited","u":0,"s":1800057600000000,"e":1800144000000000},{"b":"tracked:tok:1798761600000000","g":"unlimited","u":11,"s":1798761600000000,"e":1801440000000000},{"b":"standing:sto","g":"unlimited","u":8,"s":1799000027000000},{"b":"tracked:req:1800144000000000","g":"unlimited","u":7,"s":1800144000000000,"e":1800230400000000},{"b":"tracked:req:1800316800000000","g":"unlimited","u":2,"s":1800316800000000,"e":1800403200000000},{"b":"tracked:req:1800489600000000","g":"unlimited","u":11,"s":1800489600000000,"e":1800576000000000},{"b":"tracked:req:1800748800000000","g":"unlimited","u":0,"s":1800748800000000,"e":1800835200000000},{"b":"tracked:tok:1801440000000000","g":"unlimited","u":16,"s":1801440000000000,"e":1803859200000000}],"lifetime":{"alb":13,"art":8,"req":20,"sto":15,"tok":34}}');
INSERT INTO public.accounts VALUES ('org:old5', 45, 'user:old5b', 1, '{"created_at":"2027-01-04T04:55:29Z","time_zone":"Europe/Berlin","disabled":false,"unlimited":true,"unlimited_by_default":true,"org":"old5","policy":"enforce","subscription":{"plan":"pro","status":"active","anchor_at":"2027-01-10T04:57:43Z","starts_at":"2027-01-10T04:57:43Z","ends_at":"2027-02-10T04:57:43Z","interval":"month","renews":false},"overrides":{},"tokens":{},"last_event":3}', '2027-01-19 19:29:12+00', NULL, 0, '{"balances":[{"b":"grant:g20","g":6,"u":0,"s":1800282258000000,"e":1800386952000000}]}');
INSERT INTO public.accounts VALUES ('org:old5other', 13, 'org:old5other', 1, '{"created_at":"2027-01-03T18:13:20Z","time_zone":"UTC","disabled":false,"unlimited":false,"policy":"enforce","overrides":{},"tokens":{},"last_event":1}', '2027-02-01 00:00:00+00', NULL, 7, '{"balances":[{"b":"tracked:req:1801353600000000","g":"unlimited","u":2,"s":1801353600000000,"e":1801440000000000},{"b":"tracked:tok:1798761600000000","g":"unlimited","u":5,"s":1798761600000000,"e":1801440000000000},{"b":"standing:sto","g":"unlimited","u":3,"s":1799000000000000}],"lifetime":{"req":2,"sto":3,"tok":5}}');
INSERT INTO public.accounts VALUES ('org:old5', 45, 'user:old5x', 1, '{"created_at":"2027-01-04T02:51:47Z","time_zone":"UTC","disabled":false,"unlimited":false,"org":"old5","policy":"enforce","overrides":{},"tokens":{},"former_homes":[{"home":"user:old5x","left_at":"2027-01-19T19:32:55Z","arrived":17}],"last_event":2}', NULL, NULL, 0, '{"balances":[]}');
INSERT INTO public.accounts VALUES ('org:old5', 45, 'user:old5a', 1, '{"created_at":"2027-01-04T04:54:47Z","time_zone":"UTC","disabled":false,"unlimited":false,"org":"old5","policy":"enforce","subscription":{"plan":"max","status":"active","anchor_at":"2027-01-10T04:55:55Z","starts_at":"2027-01-10T04:55:55Z","ends_at":"2028-01-10T04:55:55Z","interval":"year","renews":false},"overrides":{"alb":{"limit":7,"expires_at":"2027-01-19T19:29:55Z"}},"tokens":{"t1":{"cap":25}},"last_event":5}', '2027-01-16 00:00:00+00', NULL, 0, '{"balances":[{"b":"window:req:1799971200000000","g":50,"u":7,"s":1799971200000000,"e":1800057600000000},{"b":"token:t1","g":25,"u":0,"s":1799038487000000},{"b":"standing:sto","g":"unlimited","u":0,"s":1799038487000000}],"lifetime":{"req":7,"sto":0},"shares":{"window:req:1799971200000000":{"u":7}}}');
INSERT INTO public.accounts VALUES ('org:old3', 59, 'user:old3b', 1, '{"created_at":"2027-01-04T04:55:29Z","time_zone":"UTC","disabled":false,"unlimited":false,"org":"old3","policy":"enforce","subscription":{"plan":"max","status":"active","anchor_at":"2027-01-24T07:40:39Z","starts_at":"2027-01-24T07:40:39Z","ends_at":"2028-01-24T07:40:39Z","runs_since":"2027-01-10T04:56:13Z","interval":"year","renews":false},"overrides":{},"tokens":{"t1":{"cap":25}},"last_event":5}', '2027-01-17 00:00:00+00', NULL, 0, '{"balances":[{"b":"window:req:1800057600000000","g":10,"u":0,"s":1800057600000000,"e":1800144000000000},{"b":"window:req:1800748800000000","g":20,"u":0,"s":1800748800000000,"e":1800835200000000},{"b":"window:tok:1801440000000000","g":100,"u":16,"s":1801440000000000,"e":1803859200000000}],"lifetime":{"tok":16},"shares":{"tracked:tok:1801440000000000":{"u":16}}}');
INSERT INTO public.accounts VALUES ('user:old3a', 33, 'user:old3a', 2, '{"created_at":"2027-01-04T04:54:47Z","time_zone":"America/Sao_Paulo","disabled":false,"unlimited":false,"policy":"enforce","subscription":{"plan":"free","status":"active","anchor_at":"2027-01-10T04:55:55Z","starts_at":"2027-01-10T04:55:55Z","ends_at":"2027-02-10T04:55:55Z","interval":"month","renews":true},"overrides":{},"tokens":{"t1":{"cap":25}},"former_homes":[{"home":"org:old3","left_at":"2027-01-18T19:28:33Z","arrived":2},{"home":"org:old3other","left_at":"2027-01-21T03:14:06Z","arrived":1}],"last_event":6}', '2027-01-12 03:00:00+00', NULL, 4, '{"balances":[{"b":"window:req:1799636400000000","g":"unlimited","u":0,"s":1799636400000000,"e":1799722800000000,"r":1},{"b":"window:art:1799556955000000","g":3,"u":0,"s":1799556955000000,"e":1802235355000000,"r":1},{"b":"window:alb:1799556955000000","g":"unlimited","u":3,"s":1799556955000000,"e":1802235355000000,"r":1},{"b":"window:tok:1799556955000000","g":"unlimited","u":10,"s":1799556955000000,"e":1801450800000000,"r":1},{"b":"standing:sto","g":"unlimited","u":7,"s":1799038487000000,"r":1},{"b":"window:req:1800500400000000","g":4,"u":4,"o":7,"s":1800500400000000,"e":1800586800000000},{"b":"grant:g58","g":1,"u":0,"s":1801496814000000,"p":2}],"lifetime":{"alb":3,"art":0,"req":11,"sto":7,"tok":10},"refunded":{"01a22402-630c-7c5b-b02b-4a000000000c":{"alb":6,"art":6,"req":7}}}');
INSERT INTO public.accounts VALUES ('org:old5other', 13, 'user:old5c', 1, '{"created_at":"2027-01-04T04:55:55Z","time_zone":"America/Sao_Paulo","disabled":false,"unlimited":false,"org":"old5other","policy":"enforce","subscription":{"plan":"pro","status":"active","anchor_at":"2027-01-24T09:32:39Z","starts_at":"2027-01-24T09:32:39Z","ends_at":"2027-02-24T09:32:39Z","runs_since":"2027-01-11T14:22:18Z","interval":"month","renews":false},"overrides":{},"tokens":{"t0":{"cap":25}},"former_homes":[{"home":"org:old5","left_at":"2027-01-17T14:24:18Z","arrived":2},{"home":"user:old5c","left_at":"2027-01-24T09:33:21Z","arrived":5}],"last_event":10}', '2027-01-31 03:00:00+00', NULL, 0, '{"balances":[{"b":"token:t0","g":25,"u":2,"s":1799038555000000,"r":5},{"b":"window:art:1800501246000000","g":15,"u":0,"s":1800501246000000,"e":1803179646000000,"r":5,"m":"window:art:1800783159000000"},{"b":"window:art:1800783159000000","g":"unlimited","u":2,"s":1800783159000000,"e":1803461559000000,"r":5,"l":"window:art:1800501246000000"},{"b":"grant:g52","g":4,"u":0,"s":1801361319000000,"e":1802225319000000,"p":1},{"b":"window:req:1801278000000000","g":10,"u":2,"s":1801278000000000,"e":1801364400000000},{"b":"window:tok:1799677338000000","g":12,"u":5,"s":1799677338000000,"e":1801450800000000},{"b":"standing:sto","g":20,"u":3,"s":1799038555000000}],"lifetime":{"art":2,"req":2,"sto":3,"tok":5},"shares":{"standing:sto":{"u":3},"tracked:req:1801353600000000":{"u":2},"tracked:tok:1798761600000000":{"u":5}}}');
INSERT INTO public.accounts VALUES ('org:old3', 59, 'user:old3c', 1, '{"created_at":"2027-01-04T04:55:55Z","time_zone":"America/Sao_Paulo","disabled":false,"unlimited":true,"unlimited_by_default":true,"org":"old3","policy":"enforce","subscription":{"plan":"max","status":"active","anchor_at":"2027-01-31T02:09:05Z","starts_at":"2027-01-31T02:09:05Z","ends_at":"2027-02-01T15:47:22Z","interval":"year","renews":false},"overrides":{},"tokens":{"t0":{"cap":25,"expires_at":"2027-01-11T04:59:20Z"}},"last_event":4}', '2027-01-18 03:00:00+00', NULL, 0, '{"balances":[{"b":"standing:sto","g":"unlimited","u":8,"s":1799038555000000},{"b":"tracked:art:1799038555000000","g":"unlimited","u":8,"s":1799038555000000,"e":1801716955000000},{"b":"tracked:req:1800154800000000","g":"unlimited","u":7,"s":1800154800000000,"e":1800241200000000},{"b":"tracked:alb:1799038555000000","g":"unlimited","u":4,"s":1799038555000000},{"b":"tracked:req:1800327600000000","g":"unlimited","u":2,"s":1800327600000000,"e":1800414000000000},{"b":"tracked:tok:1798772400000000","g":"unlimited","u":1,"s":1798772400000000,"e":1801450800000000}],"lifetime":{"alb":4,"art":8,"req":9,"sto":8,"tok":8},"shares":{"standing:sto":{"u":8},"tracked:alb:1799000027000000":{"u":4},"tracked:art:1799000027000000":{"u":8},"tracked:req:1800144000000000":{"u":7},"tracked:req:1800316800000000":{"u":2},"tracked:tok:1796083200000000":{"u":7},"tracked:tok:1798761600000000":{"u":1}}}');


--
-- Data for Name: api_keys; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.api_keys VALUES ('019b0000-0000-0000-0000-010000000000', 'an old key', 'admin', 'quota_12', '\x019b000000000000000001000000000007070707070707070707070707070707', '2026-01-01 00:00:01+00', NULL);
INSERT INTO public.api_keys VALUES ('019b0000-0000-0000-0000-020000000000', 'an old key', 'read', 'quota_12', '\x019b000000000000000002000000000007070707070707070707070707070707', '2026-01-01 00:00:01+00', '2026-01-01 00:00:09+00');


--
-- Data for Name: catalogs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.catalogs VALUES (1, '{"plans": {"max": [{"code": "max", "name": "Max", "price": 3000, "limits": {"alb": 10, "art": "unlimited", "req": 50, "sto": 20, "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}], "pro": [{"code": "pro", "name": "Pro", "price": 100, "limits": {"alb": 4, "art": 20, "req": 10, "sto": 5, "tok": 30}, "pinned": false, "currency": "usd", "interval": "month"}], "free": [{"code": "free", "name": "Free", "price": 0, "limits": {"art": 5, "req": 3}, "pinned": false, "currency": "usd", "interval": "month"}]}, "version": 1, "features": {"alb": {"code": "alb", "kind": "capacity", "name": "Albums", "unit": "album", "scale": 1, "anchor": "subscription", "cadence": "subscription", "on_renewal": "reset", "trial_limit": 0}, "art": {"code": "art", "kind": "consumable", "name": "Articles", "unit": "article", "scale": 1, "anchor": "subscription", "cadence": "monthly", "trial_limit": 0}, "req": {"code": "req", "kind": "consumable", "name": "Requests", "unit": "request", "scale": 1, "anchor": "calendar", "cadence": "daily", "credit_cost": 2, "trial_limit": 3}, "sto": {"code": "sto", "kind": "capacity", "name": "Storage", "unit": "MB", "scale": 10, "anchor": "subscription", "cadence": "subscription", "trial_limit": 0}, "tok": {"code": "tok", "kind": "consumable", "name": "Tokens", "unit": "token", "scale": 1, "anchor": "calendar", "cadence": "monthly", "credit_cost": 1, "trial_limit": 0}}}', NULL, '2027-01-03 18:13:20+00');
INSERT INTO public.catalogs VALUES (2, '{"plans": {"eco": [{"code": "eco", "name": "Eco", "price": 50, "limits": {"alb": 3, "art": 10, "req": 5, "sto": 3, "tok": 10}, "pinned": true, "currency": "usd", "interval": "month"}], "max": [{"code": "max", "name": "Max", "price": 3000, "limits": {"alb": 10, "art": "unlimited", "req": 50, "sto": 20, "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}, {"code": "max", "name": "Max", "price": 3000, "limits": {"alb": 10, "art": 15, "req": 20, "sto": "unlimited", "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}], "pro": [{"code": "pro", "name": "Pro", "price": 100, "limits": {"alb": 4, "art": 20, "req": 10, "sto": 5, "tok": 30}, "pinned": false, "currency": "usd", "interval": "month"}, {"code": "pro", "name": "Pro", "price": 100, "limits": {"art": "unlimited", "req": 10, "sto": 2, "tok": 12}, "pinned": false, "currency": "usd", "interval": "month"}], "free": [{"code": "free", "name": "Free", "price": 0, "limits": {"art": 5, "req": 3}, "pinned": false, "currency": "usd", "interval": "month"}, {"code": "free", "name": "Free", "price": 0, "limits": {"alb": 1, "art": 3, "req": 4}, "pinned": false, "currency": "usd", "interval": "month"}]}, "version": 2, "features": {"alb": {"code": "alb", "kind": "capacity", "name": "Albums", "unit": "album", "scale": 1, "anchor": "subscription", "cadence": "subscription", "on_renewal": "reset", "trial_limit": 0}, "art": {"code": "art", "kind": "consumable", "name": "Articles", "unit": "article", "scale": 1, "anchor": "subscription", "cadence": "monthly", "trial_limit": 0}, "req": {"code": "req", "kind": "consumable", "name": "Requests", "unit": "request", "scale": 1, "anchor": "calendar", "cadence": "daily", "credit_cost": 3, "trial_limit": 5}, "sto": {"code": "sto", "kind": "capacity", "name": "Storage", "unit": "MB", "scale": 10, "anchor": "subscription", "cadence": "subscription", "trial_limit": 0}, "tok": {"code": "tok", "kind": "consumable", "name": "Tokens", "unit": "token", "scale": 1, "anchor": "calendar", "cadence": "monthly", "credit_cost": 1, "trial_limit": 0}}}', NULL, '2027-01-17 14:24:18+00');
INSERT INTO public.catalogs VALUES (3, '{"plans": {"eco": [{"code": "eco", "name": "Eco", "price": 50, "limits": {"alb": 3, "art": 10, "req": 5, "sto": 3, "tok": 10}, "pinned": true, "currency": "usd", "interval": "month"}, {"code": "eco", "name": "Eco", "price": 50, "limits": {"art": 2, "req": 5, "tok": 40}, "pinned": true, "currency": "usd", "interval": "month"}], "max": [{"code": "max", "name": "Max", "price": 3000, "limits": {"alb": 10, "art": "unlimited", "req": 50, "sto": 20, "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}, {"code": "max", "name": "Max", "price": 3000, "limits": {"alb": 10, "art": 15, "req": 20, "sto": "unlimited", "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}, {"code": "max", "name": "Max", "price": 3000, "limits": {"art": 15, "req": 20, "sto": "unlimited", "tok": 100}, "pinned": false, "currency": "usd", "interval": "year"}], "pro": [{"code": "pro", "name": "Pro", "price": 100, "limits": {"alb": 4, "art": 20, "req": 10, "sto": 5, "tok": 30}, "pinned": false, "currency": "usd", "interval": "month"}, {"code": "pro", "name": "Pro", "price": 100, "limits": {"art": "unlimited", "req": 10, "sto": 2, "tok": 12}, "pinned": false, "currency": "usd", "interval": "month"}], "free": [{"code": "free", "name": "Free", "price": 0, "limits": {"art": 5, "req": 3}, "pinned": false, "currency": "usd", "interval": "month"}, {"code": "free", "name": "Free", "price": 0, "limits": {"alb": 1, "art": 3, "req": 4}, "pinned": false, "currency": "usd", "interval": "month"}, {"code": "free", "name": "Free", "price": 0, "limits": {"art": 3, "req": 4}, "pinned": false, "currency": "usd", "interval": "month"}]}, "version": 3, "features": {"art": {"code": "art", "kind": "consumable", "name": "Articles", "unit": "article", "scale": 1, "anchor": "subscription", "cadence": "monthly", "trial_limit": 0}, "req": {"code": "req", "kind": "consumable", "name": "Requests", "unit": "request", "scale": 1, "anchor": "calendar", "cadence": "daily", "credit_cost": 2, "trial_limit": 1}, "sto": {"code": "sto", "kind": "capacity", "name": "Storage", "unit": "MB", "scale": 10, "anchor": "subscription", "cadence": "subscription", "trial_limit": 0}, "tok": {"code": "tok", "kind": "consumable", "name": "Tokens", "unit": "token", "scale": 1, "anchor": "calendar", "cadence": "monthly", "credit_cost": 1, "trial_limit": 0}}}', NULL, '2027-01-21 03:14:15+00');


--
-- Data for Name: closed_balances; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.closed_balances VALUES ('org:old3', 59, 'org:old3', 'tracked:tok:1796083200000000', '{"b":"tracked:tok:1796083200000000","g":"unlimited","u":7,"s":1796083200000000,"e":1798761600000000}');
INSERT INTO public.closed_balances VALUES ('org:old3', 59, 'user:old3c', 'tracked:tok:1796094000000000', '{"b":"tracked:tok:1796094000000000","g":"unlimited","u":7,"s":1796094000000000,"e":1798772400000000}');


--
-- Data for Name: directory; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.directory VALUES ('org:old3other', 'org:old3other', 1);
INSERT INTO public.directory VALUES ('org:old5other', 'org:old5other', 1);
INSERT INTO public.directory VALUES ('org:old5', 'org:old5', 1);
INSERT INTO public.directory VALUES ('org:old3', 'org:old3', 1);
INSERT INTO public.directory VALUES ('user:old3x', 'user:old3x', 1);
INSERT INTO public.directory VALUES ('user:old5a', 'org:old5', 1);
INSERT INTO public.directory VALUES ('user:old3b', 'org:old3', 1);
INSERT INTO public.directory VALUES ('user:old5b', 'org:old5', 1);
INSERT INTO public.directory VALUES ('user:old3c', 'org:old3', 1);
INSERT INTO public.directory VALUES ('user:old5x', 'org:old5', 1);
INSERT INTO public.directory VALUES ('user:old3a', 'user:old3a', 2);
INSERT INTO public.directory VALUES ('user:old5c', 'org:old5other', 2);


--
-- Data for Name: event_cursors; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 0, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 1, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 2, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 3, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 4, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 5, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 7, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 8, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 9, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 10, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 11, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 12, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 13, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 14, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 15, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 16, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 17, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 18, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 19, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 20, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 21, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 22, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 23, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 24, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 25, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 26, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 27, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 28, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 29, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 30, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 31, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 32, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 33, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 34, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 35, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 36, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 37, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 38, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 39, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 40, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 41, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 42, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 43, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 44, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 45, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 46, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 47, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 48, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 49, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 50, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 51, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 52, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 53, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 54, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 55, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 56, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 57, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 58, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 59, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 60, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 61, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 62, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 63, 0);
INSERT INTO public.event_cursors VALUES ('dispatch_outbox', 6, 1);


--
-- Data for Name: job_batches; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.job_batches VALUES ('019b0000-0000-0000-0000-030000000000', 1, '2026-01-01 00:00:02+00', '{"done": 0, "error": "one account failed", "failed": 0}');


--
-- Data for Name: job_runs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.job_runs VALUES ('019b0000-0000-0000-0000-030000000000', 'reset_daily', 'schedule', 'user:old', 'old-worker', '2026-01-01 00:00:01+00', '2026-01-01 00:00:02+00', 'failed', '{"done": 0, "error": "one account failed", "failed": 0}');


--
-- Data for Name: leases; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.leases VALUES ('reset_daily', 'old-worker', 1, '2026-01-01 00:01:00+00');


--
-- Data for Name: operations_default; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operations_default VALUES ('user:old3x', 6, 'user:old3x', '01a22402-64ee-7a07-a91e-570000000006', 6, 1, '2027-02-01 07:09:05+00', 'consume', 'k5', '\x19c1b17fd517308a45acda62484ccbc37d8d04ba9df2105190a6bbe236f17313', NULL, '[]', '{"is":"denied","feature":"art","requested":2,"denial":{"reason":"no_subscription","scope":"user","available":0,"resets_at":null},"balances":[{"s":"user","f":"art"}]}', NULL);
INSERT INTO public.operations_default VALUES ('org:old3', 59, 'user:old3b', '01a22402-64f3-755a-af0f-800000000022', 34, 1, '2027-02-01 07:37:05+00', 'consume', NULL, '\xf94b34441e2d00ded97bb1040566766be1b8acb76b0ad835736bb69f9d29052b', NULL, '[{"s":"user","a":"user:old3b","b":"window:tok:1801440000000000","f":"tok","c":"allowance","u":3},{"s":"org","a":"org:old3","b":"tracked:tok:1801440000000000","f":"tok","c":"unlimited","u":3},{"s":"user","a":"user:old3b","b":"window:tok:1801440000000000","f":"tok","c":"allowance","u":7},{"s":"org","a":"org:old3","b":"tracked:tok:1801440000000000","f":"tok","c":"unlimited","u":7},{"s":"user","a":"user:old3b","b":"window:tok:1801440000000000","f":"tok","c":"allowance","u":6},{"s":"org","a":"org:old3","b":"tracked:tok:1801440000000000","f":"tok","c":"unlimited","u":6}]', '{"is":"allowed","balances":[{"s":"user","f":"tok","g":100,"u":16,"r":84,"p":100,"c":0,"w":"2027-03-01T00:00:00Z"},{"s":"org","f":"tok","u":16,"c":0}]}', NULL);
INSERT INTO public.operations_default VALUES ('user:old3a', 33, 'user:old3a', '01a22402-6508-711e-b6c9-a80000000004', 4, 2, '2027-02-01 15:46:54+00', 'change', 'k2', '\x93910d4d247f853d2131472cab9f85bdd71e90fc57720ef490546e7c838cabc7', NULL, '[{"s":"user","a":"user:old3a","b":"grant:g58","c":"credits","g":1}]', '{"is":"changed","what":"credits_granted","detail":"g58: 1"}', NULL);


--
-- Data for Name: operations_y2026m11; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: operations_y2026m12; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: operations_y2027m01; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.operations_y2027m01 VALUES ('org:old3other', 39, 'org:old3other', '01a22402-615a-76b7-a4e3-d10000000001', 1, 1, '2027-01-03 18:13:20+00', 'change', NULL, '\x7ad44b0ab7f98e46786c47f09d8826b29dd4d38cd3ed32cb00e9b29860b140e5', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'org:old5other', '01a22402-6167-79a7-b143-b40000000001', 1, 1, '2027-01-03 18:13:20+00', 'change', NULL, '\x88083f423c23a5169232da15531beea3c5c8576d5f97e079a9a98b09dc94fd50', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'org:old3', '01a22402-617a-7c49-92ea-110000000001', 1, 1, '2027-01-03 18:13:47+00', 'change', NULL, '\xf9870da65ca19fcb3fc36a0baee0e543a6ca056704a11e96de818a53004f7450', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'org:old5', '01a22402-617d-7888-aa40-690000000001', 1, 1, '2027-01-03 18:13:47+00', 'change', NULL, '\xa1234b25a62519b5a3d6883431f97044fd00e0b6df13b02887528a9f8829087a', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5x', 48, 'user:old5x', '01a22402-6189-7792-a4f0-550000000001', 1, 1, '2027-01-04 02:51:47+00', 'change', NULL, '\x6a9314596e6f0bc941fe2d356b98d8a9ac3fb42574d68b0f513d022f21a864b1', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3x', 6, 'user:old3x', '01a22402-618a-7525-b863-840000000001', 1, 1, '2027-01-04 02:51:47+00', 'change', NULL, '\xb92b9bbbfaf3e4e27647ac2a74a335e914484e67c60b081cf16f030400bde014', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-61c4-72a1-b3b3-3f0000000002', 2, 1, '2027-01-04 04:54:47+00', 'change', NULL, '\x936a84a8c1f8608c1f33100534710360e342e8fb689eac941c493de32054e9a4', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-61c8-7e9b-b5f4-fd0000000002', 2, 1, '2027-01-04 04:54:47+00', 'change', NULL, '\xa921a5b458bd9539ae2788a239a36f276de53bf58a3216ba519572beb278064c', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-61de-7cbb-ba9d-600000000003', 3, 1, '2027-01-04 04:55:29+00', 'change', NULL, '\x3571cdea49d190a0a0b847bd829d0f236b629ec96bab567e74740f15c33ccf49', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5b', '01a22402-61df-7c54-97c1-a60000000003', 3, 1, '2027-01-04 04:55:29+00', 'change', NULL, '\x5175cd32db11a60b9990b0c5f854eb324f88c90d12434444a6beebdbccbb3b58', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-629d-771b-82b0-ba0000000004', 4, 1, '2027-01-04 04:55:55+00', 'change', NULL, '\x082cc8adb4c7f9e43ed97e1b4332040fe314042e4ee34e6ae828cd54f9a55c14', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5c', '01a22402-629d-78b2-9e28-9e0000000004', 4, 1, '2027-01-04 04:55:55+00', 'change', NULL, '\x9aed679869babe027b314884451519f3a2001f335be94d69a302fac7ecfe83c5', NULL, '[]', '{"is":"changed","what":"account_created"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-62aa-76ce-9754-490000000005', 5, 1, '2027-01-10 04:55:55+00', 'change', NULL, '\xcd23559c2d351963f3d9e4d0593c511f4e801e8c72f819b5fe670a2b59decb10', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"free from 2027-01-10T04:55:55+00:00 to 2027-02-10T04:55:55+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-62ab-7b2f-9ecf-5d0000000005', 5, 1, '2027-01-10 04:55:55+00', 'change', NULL, '\x0eff7e83e9632bc055421663e3b33852a9df81442ac2b32f0a7fd7d6596bda9e', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"max from 2027-01-10T04:55:55+00:00 to 2028-01-10T04:55:55+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-62b3-7d85-b4d3-ba0000000006', 6, 1, '2027-01-10 04:56:13+00', 'change', NULL, '\x9910b4c78f74292ea0ffb9418526bf1f38d73cb6bea3c06d77c3983cb4574c09', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"pro from 2027-01-10T04:56:13+00:00 to 2027-02-10T04:56:13+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5b', '01a22402-62b4-7149-9933-560000000006', 6, 1, '2027-01-10 04:56:13+00', 'change', NULL, '\x903143de739ff38d90522babdcef6b53a22a5d59117b9f59f65d49f4a0c2d0b7', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"pro from 2027-01-10T04:57:43+00:00 to 2027-02-10T04:57:43+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'org:old5', '01a22402-62d3-7967-a7f4-d50000000007', 7, 1, '2027-01-10 04:56:57+00', 'change', NULL, '\xf3f2315c35271c8796b60a2bad7b58e76ccf532c8d5689b3f8fc9b7cd2501b13', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"pro from 2027-01-10T04:56:57+00:00 to 2027-01-18T14:26:13+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-62de-702e-8457-550000000007', 7, 1, '2027-01-11 04:56:57+00', 'change', NULL, '\x7c2139ed5b59b2222c74b65ac8996c677672b1fffc89b616b7008159e417de2f', NULL, '[]', '{"is":"changed","what":"token_created","detail":"t1"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-62de-7923-9be7-f60000000008', 8, 1, '2027-01-11 04:56:57+00', 'change', NULL, '\xcf092e078a731d65dfec4b63f2d4f8a9b96e1b5fda59959306b7a84f0e367e30', NULL, '[]', '{"is":"changed","what":"token_created","detail":"t1"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-62e9-7d8b-979f-e20000000008', 8, 1, '2027-01-11 04:57:44+00', 'change', NULL, '\xa4652fdf419b20b0bb4d5d022c8a21e6323ffdb9c786e4c67b8261357f00a733', NULL, '[]', '{"is":"changed","what":"token_created","detail":"t1"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-62f3-7db6-98c2-320000000009', 9, 1, '2027-01-11 04:58:18+00', 'change', NULL, '\xb81b91e60d7cb0d673d43e9ccaad55bd14499e4054e0d1dd36af58f03a5c3ac2', NULL, '[]', '{"is":"changed","what":"token_created","detail":"t0"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5c', '01a22402-62f3-74b8-bbb4-9b0000000009', 9, 1, '2027-01-11 04:58:18+00', 'change', NULL, '\xf1145511dc338d7ebca3a8ee59dc9126f0f244d401cf50e06b06d885490272f4', NULL, '[]', '{"is":"changed","what":"token_created","detail":"t0"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-62fd-766d-8096-f5000000000a', 10, 1, '2027-01-11 11:06:18+00', 'reserve', 'k4', '\xad85cb530507210e6b41352f36197388a418968860b17c21816a83273781c30e', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","f":"req","c":"unlimited","h":5},{"s":"org","a":"org:old3","b":"tracked:req:1799625600000000","f":"req","c":"unlimited","h":5}]', '{"is":"reserved","expires_at":"2027-01-11T11:07:18Z","balances":[{"s":"user","f":"req","g":"unlimited","h":5,"p":3,"c":0,"t":3,"w":"2027-01-12T03:00:00Z"},{"s":"org","f":"req","h":5,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-62ff-707c-af73-4c000000000a', 10, 1, '2027-01-11 11:06:18+00', 'reset', NULL, '\x4a7978121abb5d540e7cd7cb47e2b7064bd96b9a2c89d9f817230c57f01338d6', NULL, '[]', '{"is":"changed","what":"reset"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-62fd-766d-8097-f5000000000b', 11, 1, '2027-01-11 14:22:18+00', 'expire', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '01a22402-62fd-766d-8096-f5000000000a', '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","f":"req","c":"unlimited","h":-5},{"s":"org","a":"org:old3","b":"tracked:req:1799625600000000","f":"req","c":"unlimited","h":-5}]', '{"is":"settled","state":"expired","late":false,"balances":[]}', '{"actor":"system"}');
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-630c-7c5b-b02b-4a000000000c', 12, 1, '2027-01-11 14:22:18+00', 'consume', NULL, '\x729d9dd857c8593c6044ccf3b8fc140a64245e522125444dc960aa476354edc7', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","f":"req","c":"unlimited","u":7},{"s":"org","a":"org:old3","b":"tracked:req:1799625600000000","f":"req","c":"unlimited","u":7},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","f":"art","c":"unlimited","u":6},{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","u":6},{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","f":"alb","c":"unlimited","u":6},{"s":"org","a":"org:old3","b":"tracked:alb:1799000027000000","f":"alb","c":"unlimited","u":6}]', '{"is":"allowed","balances":[{"s":"user","f":"req","g":"unlimited","u":7,"p":3,"c":0,"t":3,"w":"2027-01-12T03:00:00Z"},{"s":"org","f":"req","u":7,"c":0},{"s":"user","f":"art","g":"unlimited","u":6,"p":5,"w":"2027-02-10T04:55:55Z"},{"s":"org","f":"art","u":6},{"s":"user","f":"alb","g":"unlimited","u":6,"w":"2027-02-10T04:55:55Z"},{"s":"org","f":"alb","u":6}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5c', '01a22402-630c-73e0-8fa0-d2000000000b', 11, 1, '2027-01-11 14:22:18+00', 'change', NULL, '\x77de43da4a13ef0bff703ce87b4cdc8cf9641ea78ea3db75eec973da9f8f8c87', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"max from 2027-01-11T14:22:18+00:00 to 2028-01-11T14:22:18+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-6319-7ab2-96bd-6a000000000c', 12, 1, '2027-01-15 14:22:18+00', 'consume', NULL, '\xd59ba51d025c46eee93b52fea97bb53f5e4dbf846fb0c66e12429e578d3e5c7a', NULL, '[{"s":"user","a":"user:old5a","b":"window:req:1799971200000000","f":"req","c":"allowance","u":7},{"s":"org","a":"org:old5","b":"window:req:1799971200000000","f":"req","c":"allowance","u":7}]', '{"is":"allowed","balances":[{"s":"user","f":"req","g":50,"u":7,"r":43,"p":50,"c":0,"t":3,"w":"2027-01-16T00:00:00Z"},{"s":"org","f":"req","g":10,"u":7,"r":3,"p":10,"c":0,"w":"2027-01-16T00:00:00Z"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-6325-7aa8-b756-dd000000000d', 13, 1, '2027-01-16 14:22:18+00', 'reserve', 'k1', '\xd606af051f27ca53657f23a3a4c60d4c4fc944d89304ad300e7cb0e31cc9c876', NULL, '[{"s":"user","a":"user:old3b","b":"window:req:1800057600000000","f":"req","c":"allowance","h":6},{"s":"org","a":"org:old3","b":"tracked:req:1800057600000000","f":"req","c":"unlimited","h":6}]', '{"is":"reserved","expires_at":"2027-01-16T14:22:23Z","balances":[{"s":"user","f":"req","g":10,"h":6,"r":4,"p":10,"c":0,"t":3,"w":"2027-01-17T00:00:00Z"},{"s":"org","f":"req","h":6,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-6325-7aa8-b757-dd000000000e', 14, 1, '2027-01-16 14:22:55+00', 'expire', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '01a22402-6325-7aa8-b756-dd000000000d', '[{"s":"user","a":"user:old3b","b":"window:req:1800057600000000","f":"req","c":"allowance","h":-6},{"s":"org","a":"org:old3","b":"tracked:req:1800057600000000","f":"req","c":"unlimited","h":-6}]', '{"is":"settled","state":"expired","late":false,"balances":[]}', '{"actor":"system"}');
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-632f-7786-a192-99000000000f', 15, 1, '2027-01-16 14:22:55+00', 'consume', NULL, '\xf08f6d6b53bc37352e643f6d237b938770340be2edd4c02a42c568e3cf354acb', NULL, '[{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","f":"alb","c":"unlimited","u":3},{"s":"org","a":"org:old3","b":"tracked:alb:1799000027000000","f":"alb","c":"unlimited","u":3},{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","f":"tok","c":"unlimited","u":7},{"s":"org","a":"org:old3","b":"tracked:tok:1798761600000000","f":"tok","c":"unlimited","u":7},{"s":"user","a":"user:old3a","b":"standing:sto","f":"sto","c":"unlimited","u":7},{"s":"org","a":"org:old3","b":"standing:sto","f":"sto","c":"unlimited","u":7}]', '{"is":"allowed","balances":[{"s":"user","f":"alb","g":"unlimited","u":9,"w":"2027-02-10T04:55:55Z"},{"s":"org","f":"alb","u":9},{"s":"user","f":"tok","g":"unlimited","u":7,"c":0,"w":"2027-02-01T03:00:00Z"},{"s":"org","f":"tok","u":7,"c":0},{"s":"user","f":"sto","g":"unlimited","u":7,"w":"2027-02-10T04:55:55Z"},{"s":"org","f":"sto","u":7}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3x', 6, 'user:old3x', '01a22402-6399-70e7-8c2d-830000000003', 3, 1, '2027-01-18 14:25:35+00', 'track', NULL, '\xfd957479540f4405a4ce8a2d6ed0a0d1cd9ffeebdd7e02d1d68351910d537a01', NULL, '[{"s":"user","a":"user:old3x","b":"tracked:alb:1799031107000000","f":"alb","c":"overage","o":7}]', '{"is":"allowed","balances":[{"s":"user","f":"alb","o":7}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-63ab-769d-9895-2f0000000012', 18, 1, '2027-01-18 19:28:13+00', 'track', NULL, '\xffc6560cbc8f0659ccdf9ad2aad02122721e17260664d677b6778cd030b9eb0b', NULL, '[{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","f":"tok","c":"unlimited","u":3},{"s":"org","a":"org:old3","b":"tracked:tok:1798761600000000","f":"tok","c":"unlimited","u":3}]', '{"is":"allowed","balances":[{"s":"user","f":"tok","g":"unlimited","u":10,"c":0,"w":"2027-02-01T03:00:00Z"},{"s":"org","f":"tok","u":10,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-63ab-7c91-b49d-7b0000000010', 16, 1, '2027-01-18 19:28:13+00', 'change', NULL, '\x885e89dfee1286682c9df4ccaee2f6d564e6d809acd3bc3c3e2bd23e554afc51', NULL, '[]', '{"is":"changed","what":"override_set","detail":"alb: 7"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-63d0-74f6-bd31-7c0000000015', 21, 1, '2027-01-19 19:29:28+00', 'consume', NULL, '\xf7ca6dd1c3c54bf358470ba3e5384417f76ec4a1a0bcb106d511ee66451d2ac1', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:alb:1799038555000000","f":"alb","c":"unlimited","u":2},{"s":"org","a":"org:old3","b":"tracked:alb:1799000027000000","f":"alb","c":"unlimited","u":2},{"s":"user","a":"user:old3c","b":"tracked:art:1799038555000000","f":"art","c":"unlimited","u":3},{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","u":3},{"s":"user","a":"user:old3c","b":"standing:sto","f":"sto","c":"unlimited","u":1},{"s":"org","a":"org:old3","b":"standing:sto","f":"sto","c":"unlimited","u":1}]', '{"is":"allowed","balances":[{"s":"user","f":"alb","g":"unlimited","u":2},{"s":"org","f":"alb","u":2},{"s":"user","f":"art","g":"unlimited","u":8},{"s":"org","f":"art","u":14},{"s":"user","f":"sto","g":"unlimited","u":8},{"s":"org","f":"sto","u":8}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3x', 6, 'user:old3x', '01a22402-63d5-7b8a-9ae9-5a0000000004', 4, 1, '2027-01-19 19:29:55+00', 'consume', 'k4', '\x44fe43bb3ca1c56a4623e25cb66079eca5cb55eb57421625aa1008ad4b853a21', NULL, '[]', '{"is":"denied","feature":"art","requested":5,"denial":{"reason":"no_subscription","scope":"user","available":0,"resets_at":null},"balances":[{"s":"user","f":"art"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-63e0-7e48-8e46-e70000000016', 22, 1, '2027-01-19 19:30:39+00', 'reserve', NULL, '\xb986226b307f26071f8746ce0ed857a5db53a2a68d5eedca53a04a9a81fd8440', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:art:1799038555000000","f":"art","c":"unlimited","h":2},{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","h":2}]', '{"is":"reserved","expires_at":"2027-01-19T19:30:44Z","balances":[{"s":"user","f":"art","g":"unlimited","u":8,"h":2},{"s":"org","f":"art","u":14,"h":2}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-63e0-7e48-8e47-e70000000017', 23, 1, '2027-01-19 19:31:28+00', 'expire', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '01a22402-63e0-7e48-8e46-e70000000016', '[{"s":"user","a":"user:old3c","b":"tracked:art:1799038555000000","f":"art","c":"unlimited","h":-2},{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","h":-2}]', '{"is":"settled","state":"expired","late":false,"balances":[]}', '{"actor":"system"}');
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-63e7-7ba8-907c-720000000018', 24, 1, '2027-01-19 19:31:28+00', 'consume', NULL, '\x8e13acd5e41849a579dd77164dee485052d747fe22fe853d7625987ef9465f58', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:req:1800327600000000","f":"req","c":"unlimited","u":2},{"s":"org","a":"org:old3","b":"tracked:req:1800316800000000","f":"req","c":"unlimited","u":2}]', '{"is":"allowed","balances":[{"s":"user","f":"req","g":"unlimited","u":2,"c":0,"t":5},{"s":"org","f":"req","u":2,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-6400-79a2-a9eb-db0000000019', 25, 1, '2027-01-19 19:33:36+00', 'consume', 'k1', '\xa753030c7e31049ebee69a867bc8da8b4be396a60261973e2d5de118d991f28f', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:alb:1799038555000000","f":"alb","c":"unlimited","u":2},{"s":"org","a":"org:old3","b":"tracked:alb:1799000027000000","f":"alb","c":"unlimited","u":2}]', '{"is":"allowed","balances":[{"s":"user","f":"alb","g":"unlimited","u":4},{"s":"org","f":"alb","u":4}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3x', 6, 'user:old3x', '01a22402-6408-7a84-8eb9-c50000000005', 5, 1, '2027-01-19 23:39:36+00', 'change', 'k1', '\xdd450ec94a45e83765796b798c9b856d9409e98afc3647ab18c902d92f016585', NULL, '[]', '{"is":"changed","what":"override_set","detail":"req: 0; no effect now: no subscription is in force","effect":"idle_for_subscription"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5b', '01a22402-64c5-727f-9139-250000000015', 21, 1, '2027-01-30 19:10:34+00', 'consume', 'k4', '\xe26acb742e31ad4a768cb9a9877ac1832ae3c2e9b89f0c2fbfe15c41afa1977d', NULL, '[]', '{"is":"denied","feature":"sto","requested":4,"denial":{"reason":"org_subscription_expired","scope":"org","available":0,"resets_at":null},"balances":[{"s":"user","f":"sto","g":"unlimited","p":20,"w":"2027-02-10T04:57:43Z"},{"s":"org","f":"sto"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-64d1-71c5-ac66-be0000000020', 32, 1, '2027-01-30 19:10:39+00', 'track', NULL, '\xd8739aa20e2db5d2c2d35c09aefa289fd75134a4f8350a40e690e7f82c04e131', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:tok:1798772400000000","f":"tok","c":"unlimited","u":1},{"s":"org","a":"org:old3","b":"tracked:tok:1798761600000000","f":"tok","c":"unlimited","u":1}]', '{"is":"allowed","balances":[{"s":"user","f":"tok","g":"unlimited","u":1,"c":0},{"s":"org","f":"tok","u":11,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-634c-7efb-92b9-880000000010', 16, 1, '2027-01-17 14:24:10+00', 'consume', NULL, '\x001ddd4b212784583fbd559f096530ebf9a1943f216023b117792c3352862e16', NULL, '[{"s":"user","a":"user:old3c","b":"standing:sto","f":"sto","c":"unlimited","u":7},{"s":"org","a":"org:old3","b":"standing:sto","f":"sto","c":"unlimited","u":7},{"s":"user","a":"user:old3c","b":"tracked:art:1799038555000000","f":"art","c":"unlimited","u":5},{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","u":5},{"s":"user","a":"user:old3c","b":"tracked:req:1800154800000000","f":"req","c":"unlimited","u":7},{"s":"org","a":"org:old3","b":"tracked:req:1800144000000000","f":"req","c":"unlimited","u":7}]', '{"is":"allowed","balances":[{"s":"user","f":"sto","g":"unlimited","u":7},{"s":"org","f":"sto","u":14},{"s":"user","f":"art","g":"unlimited","u":5},{"s":"org","f":"art","u":11},{"s":"user","f":"req","g":"unlimited","u":7,"c":0,"t":3},{"s":"org","f":"req","u":7,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5c', '01a22402-634d-7cf7-880b-1f000000000d', 13, 1, '2027-01-17 14:24:10+00', 'change', NULL, '\xf00a63236f73158d36c4852721ee400e0d1ca6da92b9e89005022105b9dc2dda', NULL, '[]', '{"is":"changed","what":"plan_change_scheduled","detail":"max from 2027-01-11T14:22:18+00:00 to 2028-01-11T14:22:18+00:00; then free from 2028-01-11T14:22:18+00:00 to 2028-02-11T14:22:18+00:00; free from 2028-01-11T14:22:18+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3x', 6, 'user:old3x', '01a22402-636b-71b3-9712-ff0000000002', 2, 1, '2027-01-17 14:24:18+00', 'consume', 'k2', '\x14d15828fcb3ddae3d1b550b6d75a548eba8ee570c6fe26179182175e4e558e1', NULL, '[{"s":"user","a":"user:old3x","b":"trial:req","f":"req","c":"trial","u":3}]', '{"is":"allowed","balances":[{"s":"user","f":"req","c":0,"t":2}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5c', '01a22402-636b-72c2-bd62-72000000000e', 14, 1, '2027-01-17 14:24:18+00', 'change', NULL, '\x899beb7fdf7d14d75505a5fc578615fb2ce5f6736ccc49181cc132baaafd79e2', NULL, '[]', '{"is":"changed","what":"moved_out","detail":"org:old5 to org:old5other"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-636b-72c2-bd63-720000000002', 2, 1, '2027-01-17 14:24:18+00', 'change', 'k5', '\x899beb7fdf7d14d75505a5fc578615fb2ce5f6736ccc49181cc132baaafd79e2', NULL, '[]', '{"is":"changed","what":"moved_in","detail":"org:old5 to org:old5other"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-6381-7ee7-b6c5-1d0000000011', 17, 1, '2027-01-18 14:24:18+00', 'track', NULL, '\x1bd6be358da86f8b066b71a93842ccbc57450fa2fe059efa7e6d00e13fb2b5eb', NULL, '[{"s":"user","a":"user:old3c","b":"tracked:tok:1796094000000000","f":"tok","c":"unlimited","u":7,"t":1798453458000000},{"s":"org","a":"org:old3","b":"tracked:tok:1796083200000000","f":"tok","c":"unlimited","u":7,"t":1798453458000000}]', '{"is":"allowed","balances":[{"s":"user","f":"tok","g":"unlimited","u":7,"c":0},{"s":"org","f":"tok","u":7,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5b', '01a22402-6382-7d44-bf19-72000000000f', 15, 1, '2027-01-18 14:24:18+00', 'change', NULL, '\xf1b5be6b301231fb6c684ecc68647ecdce713eedfeda041d42923f73d1179789', NULL, '[{"s":"user","a":"user:old5b","b":"grant:g20","c":"credits","g":6}]', '{"is":"changed","what":"credits_granted","detail":"g20: 6"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-63b3-715d-81f7-fb0000000013', 19, 1, '2027-01-18 19:28:33+00', 'change', NULL, '\x1338f296c1bb0973d2d9459765928e25684bf8d525238abc05c11bebff54358a', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","c":"allowance","u":-7},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","c":"allowance","u":-6},{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","c":"allowance","u":-9},{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","c":"allowance","u":-10},{"s":"user","a":"user:old3a","b":"standing:sto","c":"allowance","u":-7},{"s":"org","a":"org:old3","b":"tracked:alb:1799000027000000","f":"alb","c":"allowance","u":-9},{"s":"org","a":"org:old3","b":"standing:sto","f":"sto","c":"allowance","u":-7}]', '{"is":"changed","what":"moved_out","detail":"org:old3 to org:old3other; no longer unlimited: that was the default inside the org","effect":"unlimited_ended"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3other', 39, 'user:old3a', '01a22402-63b3-715d-81f6-fb0000000002', 2, 1, '2027-01-18 19:28:33+00', 'change', NULL, '\x1338f296c1bb0973d2d9459765928e25684bf8d525238abc05c11bebff54358a', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","c":"allowance","u":7},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","c":"allowance","u":6},{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","c":"allowance","u":9},{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","c":"allowance","u":10},{"s":"user","a":"user:old3a","b":"standing:sto","c":"allowance","u":7}]', '{"is":"changed","what":"moved_in","detail":"org:old3 to org:old3other; no longer unlimited: that was the default inside the org","effect":"unlimited_ended"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-63c9-7b05-8d48-260000000014', 20, 1, '2027-01-19 19:28:33+00', 'reset', NULL, '\xe6ff5768b18fd063080a65f16e835973908e10b3fd24110dcbb42f90c1c93c23', NULL, '[]', '{"is":"changed","what":"reset"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5x', 48, 'user:old5x', '01a22402-63f8-7446-868a-2c0000000002', 2, 1, '2027-01-19 19:32:55+00', 'change', NULL, '\x4c32333a796f134d4f4d7fe8b64a6aaf754c45dee94d43738bee3096b87e1965', NULL, '[]', '{"is":"changed","what":"moved_out","detail":"user:old5x to org:old5"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5x', '01a22402-63f8-7446-868b-2c0000000011', 17, 1, '2027-01-19 19:32:55+00', 'change', 'k0', '\x4c32333a796f134d4f4d7fe8b64a6aaf754c45dee94d43738bee3096b87e1965', NULL, '[]', '{"is":"changed","what":"moved_in","detail":"user:old5x to org:old5"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5x', '01a22402-640f-74e3-bf9f-b40000000012', 18, 1, '2027-01-21 03:13:36+00', 'consume', 'k3', '\xd954b9f3e5bfececa6894d148db93b5c7db5bfca65f9e47fa57c0061b5d52762', NULL, '[]', '{"is":"denied","feature":"tok","requested":1,"denial":{"reason":"credits_exhausted","scope":"user","available":0,"resets_at":null},"balances":[{"s":"user","f":"tok","c":0},{"s":"org","f":"tok","c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-641a-7a7c-a3fa-650000000003', 3, 1, '2027-01-21 03:14:06+00', 'change', NULL, '\xf2c64b088c9bc393fdfa30cb78d8bc44ea31ec81c4b5bd605fa7a62e55ceac43', NULL, '[]', '{"is":"changed","what":"plan_changed","detail":"max from 2027-01-21T03:14:06+00:00 to 2028-01-21T03:14:06+00:00; max, paid for to 2028-01-11T14:22:18+00:00, is dropped; the change to free at 2028-01-11T14:22:18+00:00 is dropped"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3other', 39, 'user:old3a', '01a22402-6419-7cb2-8547-9d0000000003', 3, 1, '2027-01-21 03:14:06+00', 'change', NULL, '\x60cc0449661ed3b27a438675941104f6eda378fb0896e08432949f55ca4321b1', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","c":"allowance","u":-7},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","c":"allowance","u":-6},{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","c":"allowance","u":-9},{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","c":"allowance","u":-10},{"s":"user","a":"user:old3a","b":"standing:sto","c":"allowance","u":-7}]', '{"is":"changed","what":"moved_out","detail":"org:old3other to user:old3a"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3a', 33, 'user:old3a', '01a22402-6419-7cb2-8546-9d0000000001', 1, 2, '2027-01-21 03:14:06+00', 'change', NULL, '\x60cc0449661ed3b27a438675941104f6eda378fb0896e08432949f55ca4321b1', NULL, '[{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","c":"allowance","u":7},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","c":"allowance","u":6},{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","c":"allowance","u":9},{"s":"user","a":"user:old3a","b":"window:tok:1799556955000000","c":"allowance","u":10},{"s":"user","a":"user:old3a","b":"standing:sto","c":"allowance","u":7}]', '{"is":"changed","what":"moved_in","detail":"org:old3other to user:old3a"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-643c-76e7-a402-e10000000004', 4, 1, '2027-01-21 03:14:15+00', 'change', NULL, '\xffa8aac2166a162bd7221403bf705ac311978152178db6206963e754c07530f0', NULL, '[]', '{"is":"changed","what":"moved_out","detail":"org:old5other to user:old5c"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5c', 17, 'user:old5c', '01a22402-643c-76e7-a403-e10000000001', 1, 2, '2027-01-21 03:14:15+00', 'change', NULL, '\xffa8aac2166a162bd7221403bf705ac311978152178db6206963e754c07530f0', NULL, '[]', '{"is":"changed","what":"moved_in","detail":"org:old5other to user:old5c"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-643f-77f5-b917-e8000000001a', 26, 1, '2027-01-21 03:14:15+00', 'commit', NULL, '\x3fd4a405e1cd55881b2205d79da6d54c27bf2932c04fd3819bb60d8c38148128', '01a22402-62fd-766d-8096-f5000000000a', '[{"s":"org","a":"org:old3","b":"tracked:req:1800489600000000","f":"req","c":"unlimited","u":11}]', '{"is":"settled","state":"expired","late":true,"balances":[]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3a', 33, 'user:old3a', '01a22402-643f-77f5-b916-e80000000002', 2, 2, '2027-01-21 03:14:15+00', 'commit', NULL, '\x3fd4a405e1cd55881b2205d79da6d54c27bf2932c04fd3819bb60d8c38148128', '01a22402-62fd-766d-8096-f5000000000a', '[{"s":"user","a":"user:old3a","b":"window:req:1800500400000000","f":"req","c":"allowance","u":4},{"s":"user","a":"user:old3a","b":"window:req:1800500400000000","f":"req","c":"overage","o":7}]', '{"is":"settled","state":"expired","late":true,"balances":[{"s":"user","f":"req","g":4,"u":4,"o":7,"r":0,"p":4,"c":0,"t":1,"w":"2027-01-22T03:00:00Z"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-6467-719e-a04d-020000000013', 19, 1, '2027-01-24 03:14:35+00', 'track', NULL, '\x0037caa2a4cdee0872851dd8cf9805c06e8be2eeeae916a2b127a0474eb4576f', NULL, '[{"s":"token","a":"user:old5a","b":"token:t1","f":"sto","c":"allowance","u":6},{"s":"user","a":"user:old5a","b":"standing:sto","f":"sto","c":"allowance","u":6},{"s":"org","a":"org:old5","b":"standing:sto","f":"sto","c":"overage","o":6}]', '{"is":"allowed","balances":[{"s":"token","g":25,"u":6,"r":19},{"s":"user","f":"sto","g":"unlimited","u":6,"p":"unlimited","w":"2028-01-10T04:55:55Z"},{"s":"org","f":"sto","o":6}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-6472-7f71-ac3e-7e000000001b', 27, 1, '2027-01-24 07:40:14+00', 'change', NULL, '\x294cd97f6c8f0d9592d0f6e2f3e97c98568e3f5af91f59e6d58415d9de2b4714', NULL, '[]', '{"is":"changed","what":"plan_change_scheduled","detail":"pro from 2027-01-10T04:56:13+00:00 to 2027-02-10T04:56:13+00:00; then free from 2027-02-10T04:56:13+00:00 to 2027-03-10T04:56:13+00:00; free from 2027-02-10T04:56:13+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5c', 17, 'user:old5c', '01a22402-6473-70ac-ba4f-fa0000000002', 2, 2, '2027-01-24 07:40:14+00', 'track', NULL, '\xf8103fcb3c77c778c756988159cb05b640165d47f4e419e1864d25ac64648d71', NULL, '[{"s":"token","a":"user:old5c","b":"token:t0","f":"art","c":"allowance","u":2},{"s":"user","a":"user:old5c","b":"window:art:1800501246000000","f":"art","c":"allowance","u":2}]', '{"is":"allowed","balances":[{"s":"token","g":25,"u":2,"r":23},{"s":"user","f":"art","g":15,"u":2,"r":13,"p":15,"w":"2027-02-21T03:14:06Z"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-6481-7a6a-ba13-9f000000001c', 28, 1, '2027-01-24 07:40:39+00', 'change', 'k0', '\x1591c5a82e54f8dc7b088571411eb79e07a8967852894fdb7fe7c2e09a8429f8', NULL, '[]', '{"is":"changed","what":"plan_changed","detail":"max from 2027-01-24T07:40:39+00:00 to 2028-01-24T07:40:39+00:00; pro, paid for to 2027-02-10T04:56:13+00:00, is dropped; the change to free at 2027-02-10T04:56:13+00:00 is dropped"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5c', 17, 'user:old5c', '01a22402-648b-7438-ab3f-160000000003', 3, 2, '2027-01-24 09:32:39+00', 'change', 'k2', '\x3bc9b271003fb38c9c66311dd6c263d14af34d50f16eb71a80d021b5c065a99b', NULL, '[{"s":"user","a":"user:old5c","b":"window:art:1800501246000000","f":"art","c":"allowance","u":-2},{"s":"user","a":"user:old5c","b":"window:art:1800783159000000","f":"art","c":"allowance","u":2}]', '{"is":"changed","what":"plan_changed","detail":"pro from 2027-01-24T09:32:39+00:00 to 2027-02-24T09:32:39+00:00; max, paid for to 2028-01-21T03:14:06+00:00, is dropped"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-64a0-7032-9050-90000000001d', 29, 1, '2027-01-24 09:33:34+00', 'reserve', NULL, '\xe90d77e420d4fc2ebda0774ef284ff2eb39f7e82bfcd61913dae2698823e8e61', NULL, '[{"s":"user","a":"user:old3b","b":"window:req:1800748800000000","f":"req","c":"allowance","h":7},{"s":"org","a":"org:old3","b":"tracked:req:1800748800000000","f":"req","c":"unlimited","h":7}]', '{"is":"reserved","expires_at":"2027-01-24T09:33:39Z","balances":[{"s":"user","f":"req","g":20,"h":7,"r":13,"p":20,"c":0,"t":1,"w":"2027-01-25T00:00:00Z"},{"s":"org","f":"req","h":7,"c":0}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5', 45, 'user:old5a', '01a22402-64ac-76e0-8f98-260000000014', 20, 1, '2027-01-30 09:33:34+00', 'refund', NULL, '\x603a6460f9982a6511a50c8292d45cbeee85931038bfcb167b1b7ae42a0eaef1', '01a22402-6467-719e-a04d-020000000013', '[{"s":"token","a":"user:old5a","b":"token:t1","f":"sto","c":"allowance","u":-6},{"s":"user","a":"user:old5a","b":"standing:sto","f":"sto","c":"allowance","u":-6},{"s":"org","a":"org:old5","b":"standing:sto","f":"sto","c":"overage","o":-6}]', '{"is":"refunded","items":[{"feature":"sto","amount":6}],"balances":[{"s":"user","f":"sto","g":"unlimited","p":"unlimited","w":"2028-01-10T04:55:55Z"},{"s":"org","f":"sto"}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-64da-76dd-9260-470000000006', 6, 1, '2027-01-31 02:08:39+00', 'change', NULL, '\x4fa1ab3dcb78537b78512372983d16c30ea1ce52c0c3ed99ed42cfd6433a0095', NULL, '[{"s":"user","a":"user:old5c","b":"grant:g52","c":"credits","g":4}]', '{"is":"changed","what":"credits_granted","detail":"g52: 4"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3c', '01a22402-64e1-7794-973b-980000000021', 33, 1, '2027-01-31 02:09:05+00', 'change', 'k4', '\x08a13ce4b36adc25dc43f35135f0e94f333022b0a4be1da1de213e3c4b5af298', NULL, '[]', '{"is":"changed","what":"subscription_started","detail":"max from 2027-01-31T02:09:05+00:00 to 2027-02-01T15:47:22+00:00"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-64e1-78f1-b976-560000000007', 7, 1, '2027-01-31 02:09:05+00', 'consume', NULL, '\x3d7484e7df9fa3f7bf31759b0591baa9846a0a534e9af47d7dcacf138bcf277b', NULL, '[{"s":"user","a":"user:old5c","b":"window:req:1801278000000000","f":"req","c":"allowance","u":2},{"s":"org","a":"org:old5other","b":"tracked:req:1801353600000000","f":"req","c":"unlimited","u":2},{"s":"user","a":"user:old5c","b":"window:tok:1799677338000000","f":"tok","c":"allowance","u":5},{"s":"org","a":"org:old5other","b":"tracked:tok:1798761600000000","f":"tok","c":"unlimited","u":5},{"s":"user","a":"user:old5c","b":"standing:sto","f":"sto","c":"allowance","u":3},{"s":"org","a":"org:old5other","b":"standing:sto","f":"sto","c":"unlimited","u":3}]', '{"is":"allowed","balances":[{"s":"user","f":"req","g":10,"u":2,"r":8,"p":10,"c":4,"t":1,"w":"2027-01-31T03:00:00Z"},{"s":"org","f":"req","u":2,"c":0},{"s":"user","f":"tok","g":12,"u":5,"r":7,"p":12,"c":4,"w":"2027-02-01T03:00:00Z"},{"s":"org","f":"tok","u":5,"c":0},{"s":"user","f":"sto","g":20,"u":3,"r":17,"p":20,"w":"2027-02-24T09:32:39Z"},{"s":"org","f":"sto","u":3}]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old5c', 17, 'user:old5c', '01a22402-6495-7be5-99d6-c80000000004', 4, 2, '2027-01-24 09:33:21+00', 'change', NULL, '\x899beb7fdf7d14d75505a5fc578615fb2ce5f6736ccc49181cc132baaafd79e2', NULL, '[{"s":"token","a":"user:old5c","b":"token:t0","c":"allowance","u":-2},{"s":"user","a":"user:old5c","b":"window:art:1800501246000000","c":"allowance"},{"s":"user","a":"user:old5c","b":"window:art:1800783159000000","c":"allowance","u":-2}]', '{"is":"changed","what":"moved_out","detail":"user:old5c to org:old5other"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old5other', 13, 'user:old5c', '01a22402-6495-7be5-99d7-c80000000005', 5, 1, '2027-01-24 09:33:21+00', 'change', NULL, '\x899beb7fdf7d14d75505a5fc578615fb2ce5f6736ccc49181cc132baaafd79e2', NULL, '[{"s":"token","a":"user:old5c","b":"token:t0","c":"allowance","u":2},{"s":"user","a":"user:old5c","b":"window:art:1800501246000000","c":"allowance"},{"s":"user","a":"user:old5c","b":"window:art:1800783159000000","c":"allowance","u":2}]', '{"is":"changed","what":"moved_in","detail":"user:old5c to org:old5other"}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3b', '01a22402-64a0-7032-9051-90000000001e', 30, 1, '2027-01-30 09:33:34+00', 'expire', NULL, '\x0000000000000000000000000000000000000000000000000000000000000000', '01a22402-64a0-7032-9050-90000000001d', '[{"s":"user","a":"user:old3b","b":"window:req:1800748800000000","f":"req","c":"allowance","h":-7},{"s":"org","a":"org:old3","b":"tracked:req:1800748800000000","f":"req","c":"unlimited","h":-7}]', '{"is":"settled","state":"expired","late":false,"balances":[]}', '{"actor":"system"}');
INSERT INTO public.operations_y2027m01 VALUES ('org:old3', 59, 'user:old3a', '01a22402-64af-7a77-83a2-1d000000001f', 31, 1, '2027-01-30 09:33:34+00', 'refund', NULL, '\x7b527335996447397554bfd4abd127526eecf3d36a272e3c983f5acf8cf04aee', '01a22402-630c-7c5b-b02b-4a000000000c', '[{"s":"org","a":"org:old3","b":"tracked:art:1799000027000000","f":"art","c":"unlimited","u":-6},{"s":"org","a":"org:old3","b":"tracked:req:1799625600000000","f":"req","c":"unlimited","u":-7}]', '{"is":"refunded","items":[],"balances":[]}', NULL);
INSERT INTO public.operations_y2027m01 VALUES ('user:old3a', 33, 'user:old3a', '01a22402-64af-7a77-83a3-1d0000000003', 3, 2, '2027-01-30 09:33:34+00', 'refund', NULL, '\x7b527335996447397554bfd4abd127526eecf3d36a272e3c983f5acf8cf04aee', '01a22402-630c-7c5b-b02b-4a000000000c', '[{"s":"user","a":"user:old3a","b":"window:alb:1799556955000000","f":"alb","c":"unlimited","u":-6},{"s":"user","a":"user:old3a","b":"window:art:1799556955000000","f":"art","c":"unlimited","u":-6},{"s":"user","a":"user:old3a","b":"window:req:1799636400000000","f":"req","c":"unlimited","u":-7}]', '{"is":"refunded","items":[{"feature":"alb","amount":6},{"feature":"art","amount":6},{"feature":"req","amount":7}],"balances":[{"s":"user","f":"art","g":3,"r":3,"p":3,"w":"2027-02-10T04:55:55Z"},{"s":"user","f":"req","g":4,"r":4,"p":4,"c":0,"t":1,"w":"2027-01-31T03:00:00Z"}]}', NULL);


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.outbox VALUES (6, 'user:old3x', 1, 1, 'user:old3x', '01a22402-618a-7525-b863-840000000001', 1, '2027-01-04 02:51:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (6, 'user:old3x', 2, 2, 'user:old3x', '01a22402-6408-7a84-8eb9-c50000000005', 5, '2027-01-19 23:39:36+00', '{"type": "quota_updated", "reason": "override_set"}');
INSERT INTO public.outbox VALUES (13, 'org:old5other', 1, 1, 'org:old5other', '01a22402-6167-79a7-b143-b40000000001', 1, '2027-01-03 18:13:20+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 1, 2, 'org:old5other', '01a22402-629d-78b2-9e28-9e0000000004', 4, '2027-01-04 04:55:55+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 2, 3, 'org:old5other', '01a22402-62f3-74b8-bbb4-9b0000000009', 9, '2027-01-11 04:58:18+00', '{"type": "quota_updated", "reason": "token_created"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 3, 4, 'org:old5other', '01a22402-630c-73e0-8fa0-d2000000000b', 11, '2027-01-11 14:22:18+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 4, 5, 'org:old5other', '01a22402-634d-7cf7-880b-1f000000000d', 13, '2027-01-17 14:24:10+00', '{"type": "quota_updated", "reason": "plan_change_scheduled"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 5, 6, 'org:old5other', '01a22402-636b-72c2-bd63-720000000002', 2, '2027-01-17 14:24:18+00', '{"type": "quota_updated", "reason": "moved"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 1, 1, 'user:old3a', '01a22402-61c4-72a1-b3b3-3f0000000002', 2, '2027-01-04 04:54:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 2, 2, 'user:old3a', '01a22402-62aa-76ce-9754-490000000005', 5, '2027-01-10 04:55:55+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 3, 3, 'user:old3a', '01a22402-62de-702e-8457-550000000007', 7, '2027-01-11 04:56:57+00', '{"type": "quota_updated", "reason": "token_created"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 4, 4, 'user:old3a', '01a22402-63b3-715d-81f6-fb0000000002', 2, '2027-01-18 19:28:33+00', '{"type": "quota_updated", "reason": "moved"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 5, 5, 'user:old3a', '01a22402-6419-7cb2-8546-9d0000000001', 1, '2027-01-21 03:14:06+00', '{"type": "quota_updated", "reason": "moved"}');
INSERT INTO public.outbox VALUES (39, 'org:old3other', 1, 1, 'org:old3other', '01a22402-615a-76b7-a4e3-d10000000001', 1, '2027-01-03 18:13:20+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (45, 'org:old5', 1, 1, 'org:old5', '01a22402-617d-7888-aa40-690000000001', 1, '2027-01-03 18:13:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (45, 'org:old5', 2, 2, 'org:old5', '01a22402-62d3-7967-a7f4-d50000000007', 7, '2027-01-10 04:56:57+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (45, 'user:old5a', 1, 3, 'org:old5', '01a22402-61c8-7e9b-b5f4-fd0000000002', 2, '2027-01-04 04:54:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (45, 'user:old5a', 2, 4, 'org:old5', '01a22402-62ab-7b2f-9ecf-5d0000000005', 5, '2027-01-10 04:55:55+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (45, 'user:old5a', 3, 5, 'org:old5', '01a22402-62de-7923-9be7-f60000000008', 8, '2027-01-11 04:56:57+00', '{"type": "quota_updated", "reason": "token_created"}');
INSERT INTO public.outbox VALUES (45, 'user:old5a', 4, 6, 'org:old5', '01a22402-62ff-707c-af73-4c000000000a', 10, '2027-01-11 11:06:18+00', '{"type": "quota_reset", "features": []}');
INSERT INTO public.outbox VALUES (59, 'org:old3', 1, 1, 'org:old3', '01a22402-617a-7c49-92ea-110000000001', 1, '2027-01-03 18:13:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (59, 'user:old3b', 1, 2, 'org:old3', '01a22402-61de-7cbb-ba9d-600000000003', 3, '2027-01-04 04:55:29+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (59, 'user:old3b', 2, 3, 'org:old3', '01a22402-62b3-7d85-b4d3-ba0000000006', 6, '2027-01-10 04:56:13+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (59, 'user:old3b', 3, 4, 'org:old3', '01a22402-62e9-7d8b-979f-e20000000008', 8, '2027-01-11 04:57:44+00', '{"type": "quota_updated", "reason": "token_created"}');
INSERT INTO public.outbox VALUES (59, 'user:old3b', 4, 5, 'org:old3', '01a22402-6472-7f71-ac3e-7e000000001b', 27, '2027-01-24 07:40:14+00', '{"type": "quota_updated", "reason": "plan_change_scheduled"}');
INSERT INTO public.outbox VALUES (59, 'user:old3b', 5, 6, 'org:old3', '01a22402-6481-7a6a-ba13-9f000000001c', 28, '2027-01-24 07:40:39+00', '{"type": "quota_updated", "reason": "plan_changed"}');
INSERT INTO public.outbox VALUES (59, 'user:old3c', 1, 7, 'org:old3', '01a22402-629d-771b-82b0-ba0000000004', 4, '2027-01-04 04:55:55+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (59, 'user:old3c', 2, 8, 'org:old3', '01a22402-62f3-7db6-98c2-320000000009', 9, '2027-01-11 04:58:18+00', '{"type": "quota_updated", "reason": "token_created"}');
INSERT INTO public.outbox VALUES (59, 'user:old3c', 3, 9, 'org:old3', '01a22402-63c9-7b05-8d48-260000000014', 20, '2027-01-19 19:28:33+00', '{"type": "quota_reset", "features": []}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 6, 7, 'org:old5other', '01a22402-641a-7a7c-a3fa-650000000003', 3, '2027-01-21 03:14:06+00', '{"type": "quota_updated", "reason": "plan_changed"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 7, 8, 'org:old5other', '01a22402-643c-76e7-a403-e10000000001', 1, '2027-01-21 03:14:15+00', '{"type": "quota_updated", "reason": "moved"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 8, 9, 'org:old5other', '01a22402-648b-7438-ab3f-160000000003', 3, '2027-01-24 09:32:39+00', '{"type": "quota_updated", "reason": "plan_changed"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 9, 10, 'org:old5other', '01a22402-6495-7be5-99d7-c80000000005', 5, '2027-01-24 09:33:21+00', '{"type": "quota_updated", "reason": "moved"}');
INSERT INTO public.outbox VALUES (13, 'user:old5c', 10, 11, 'org:old5other', '01a22402-64da-76dd-9260-470000000006', 6, '2027-01-31 02:08:39+00', '{"type": "quota_updated", "reason": "credits_granted"}');
INSERT INTO public.outbox VALUES (33, 'user:old3a', 6, 6, 'user:old3a', '01a22402-6508-711e-b6c9-a80000000004', 4, '2027-02-01 15:46:54+00', '{"type": "quota_updated", "reason": "credits_granted"}');
INSERT INTO public.outbox VALUES (59, 'user:old3c', 4, 10, 'org:old3', '01a22402-64e1-7794-973b-980000000021', 33, '2027-01-31 02:09:05+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (45, 'user:old5a', 5, 7, 'org:old5', '01a22402-63ab-7c91-b49d-7b0000000010', 16, '2027-01-18 19:28:13+00', '{"type": "quota_updated", "reason": "override_set"}');
INSERT INTO public.outbox VALUES (45, 'user:old5b', 1, 8, 'org:old5', '01a22402-61df-7c54-97c1-a60000000003', 3, '2027-01-04 04:55:29+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (45, 'user:old5b', 2, 9, 'org:old5', '01a22402-62b4-7149-9933-560000000006', 6, '2027-01-10 04:56:13+00', '{"type": "quota_updated", "reason": "subscription_started"}');
INSERT INTO public.outbox VALUES (45, 'user:old5b', 3, 10, 'org:old5', '01a22402-6382-7d44-bf19-72000000000f', 15, '2027-01-18 14:24:18+00', '{"type": "quota_updated", "reason": "credits_granted"}');
INSERT INTO public.outbox VALUES (45, 'user:old5x', 1, 11, 'org:old5', '01a22402-6189-7792-a4f0-550000000001', 1, '2027-01-04 02:51:47+00', '{"type": "quota_updated", "reason": "account_created"}');
INSERT INTO public.outbox VALUES (45, 'user:old5x', 2, 12, 'org:old5', '01a22402-63f8-7446-868b-2c0000000011', 17, '2027-01-19 19:32:55+00', '{"type": "quota_updated", "reason": "moved"}');


--
-- Data for Name: outbox_places; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.outbox_places VALUES (0, 0);
INSERT INTO public.outbox_places VALUES (1, 0);
INSERT INTO public.outbox_places VALUES (2, 0);
INSERT INTO public.outbox_places VALUES (3, 0);
INSERT INTO public.outbox_places VALUES (4, 0);
INSERT INTO public.outbox_places VALUES (5, 0);
INSERT INTO public.outbox_places VALUES (7, 0);
INSERT INTO public.outbox_places VALUES (8, 0);
INSERT INTO public.outbox_places VALUES (9, 0);
INSERT INTO public.outbox_places VALUES (10, 0);
INSERT INTO public.outbox_places VALUES (11, 0);
INSERT INTO public.outbox_places VALUES (12, 0);
INSERT INTO public.outbox_places VALUES (14, 0);
INSERT INTO public.outbox_places VALUES (15, 0);
INSERT INTO public.outbox_places VALUES (16, 0);
INSERT INTO public.outbox_places VALUES (17, 0);
INSERT INTO public.outbox_places VALUES (18, 0);
INSERT INTO public.outbox_places VALUES (19, 0);
INSERT INTO public.outbox_places VALUES (20, 0);
INSERT INTO public.outbox_places VALUES (21, 0);
INSERT INTO public.outbox_places VALUES (22, 0);
INSERT INTO public.outbox_places VALUES (23, 0);
INSERT INTO public.outbox_places VALUES (24, 0);
INSERT INTO public.outbox_places VALUES (25, 0);
INSERT INTO public.outbox_places VALUES (26, 0);
INSERT INTO public.outbox_places VALUES (27, 0);
INSERT INTO public.outbox_places VALUES (28, 0);
INSERT INTO public.outbox_places VALUES (29, 0);
INSERT INTO public.outbox_places VALUES (30, 0);
INSERT INTO public.outbox_places VALUES (31, 0);
INSERT INTO public.outbox_places VALUES (32, 0);
INSERT INTO public.outbox_places VALUES (34, 0);
INSERT INTO public.outbox_places VALUES (35, 0);
INSERT INTO public.outbox_places VALUES (36, 0);
INSERT INTO public.outbox_places VALUES (37, 0);
INSERT INTO public.outbox_places VALUES (38, 0);
INSERT INTO public.outbox_places VALUES (40, 0);
INSERT INTO public.outbox_places VALUES (41, 0);
INSERT INTO public.outbox_places VALUES (42, 0);
INSERT INTO public.outbox_places VALUES (43, 0);
INSERT INTO public.outbox_places VALUES (44, 0);
INSERT INTO public.outbox_places VALUES (46, 0);
INSERT INTO public.outbox_places VALUES (47, 0);
INSERT INTO public.outbox_places VALUES (48, 0);
INSERT INTO public.outbox_places VALUES (49, 0);
INSERT INTO public.outbox_places VALUES (50, 0);
INSERT INTO public.outbox_places VALUES (51, 0);
INSERT INTO public.outbox_places VALUES (52, 0);
INSERT INTO public.outbox_places VALUES (53, 0);
INSERT INTO public.outbox_places VALUES (54, 0);
INSERT INTO public.outbox_places VALUES (55, 0);
INSERT INTO public.outbox_places VALUES (56, 0);
INSERT INTO public.outbox_places VALUES (57, 0);
INSERT INTO public.outbox_places VALUES (58, 0);
INSERT INTO public.outbox_places VALUES (60, 0);
INSERT INTO public.outbox_places VALUES (61, 0);
INSERT INTO public.outbox_places VALUES (62, 0);
INSERT INTO public.outbox_places VALUES (63, 0);
INSERT INTO public.outbox_places VALUES (6, 2);
INSERT INTO public.outbox_places VALUES (13, 11);
INSERT INTO public.outbox_places VALUES (33, 6);
INSERT INTO public.outbox_places VALUES (39, 1);
INSERT INTO public.outbox_places VALUES (45, 12);
INSERT INTO public.outbox_places VALUES (59, 10);


--
-- Data for Name: reservations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reservations VALUES ('org:old3', 59, '01a22402-6325-7aa8-b756-dd000000000d', 'user:old3b', '2027-01-16 14:22:23+00', 'expired', '01a22402-6325-7aa8-b757-dd000000000e', NULL, '{"id":"01a22402-6325-7aa8-b756-dd000000000d","account":"user:old3b","feature":"req","amount":6,"draws":[{"scope":"user","bucket":"window:req:1800057600000000","source":"allowance","amount":6},{"scope":"org","bucket":"tracked:req:1800057600000000","source":"unlimited","amount":6}],"expires_at":"2027-01-16T14:22:23Z","state":"expired","ended_by":"01a22402-6325-7aa8-b757-dd000000000e"}');
INSERT INTO public.reservations VALUES ('org:old3', 59, '01a22402-63e0-7e48-8e46-e70000000016', 'user:old3c', '2027-01-19 19:30:44+00', 'expired', '01a22402-63e0-7e48-8e47-e70000000017', NULL, '{"id":"01a22402-63e0-7e48-8e46-e70000000016","account":"user:old3c","feature":"art","amount":2,"draws":[{"scope":"user","bucket":"tracked:art:1799038555000000","source":"unlimited","amount":2},{"scope":"org","bucket":"tracked:art:1799000027000000","source":"unlimited","amount":2}],"expires_at":"2027-01-19T19:30:44Z","state":"expired","ended_by":"01a22402-63e0-7e48-8e47-e70000000017"}');
INSERT INTO public.reservations VALUES ('org:old3', 59, '01a22402-62fd-766d-8096-f5000000000a', 'user:old3a', '2027-01-11 11:07:18+00', 'expired', '01a22402-62fd-766d-8097-f5000000000b', '01a22402-643f-77f5-b917-e8000000001a', '{"id":"01a22402-62fd-766d-8096-f5000000000a","account":"user:old3a","feature":"req","amount":5,"draws":[{"scope":"user","bucket":"window:req:1799636400000000","source":"unlimited","amount":5},{"scope":"org","bucket":"tracked:req:1799625600000000","source":"unlimited","amount":5}],"expires_at":"2027-01-11T11:07:18Z","state":"expired","ended_by":"01a22402-62fd-766d-8097-f5000000000b","late_commit":"01a22402-643f-77f5-b917-e8000000001a"}');
INSERT INTO public.reservations VALUES ('user:old3a', 33, '01a22402-62fd-766d-8096-f5000000000a', 'user:old3a', '2027-01-11 11:07:18+00', 'expired', '01a22402-62fd-766d-8097-f5000000000b', '01a22402-643f-77f5-b916-e80000000002', '{"id":"01a22402-62fd-766d-8096-f5000000000a","account":"user:old3a","feature":"req","amount":5,"draws":[{"scope":"user","bucket":"window:req:1799636400000000","source":"unlimited","amount":5},{"scope":"org","bucket":"tracked:req:1799625600000000","source":"unlimited","amount":5}],"expires_at":"2027-01-11T11:07:18Z","state":"expired","ended_by":"01a22402-62fd-766d-8097-f5000000000b","late_commit":"01a22402-643f-77f5-b916-e80000000002"}');
INSERT INTO public.reservations VALUES ('org:old3', 59, '01a22402-64a0-7032-9050-90000000001d', 'user:old3b', '2027-01-24 09:33:39+00', 'expired', '01a22402-64a0-7032-9051-90000000001e', NULL, '{"id":"01a22402-64a0-7032-9050-90000000001d","account":"user:old3b","feature":"req","amount":7,"draws":[{"scope":"user","bucket":"window:req:1800748800000000","source":"allowance","amount":7},{"scope":"org","bucket":"tracked:req:1800748800000000","source":"unlimited","amount":7}],"expires_at":"2027-01-24T09:33:39Z","state":"expired","ended_by":"01a22402-64a0-7032-9051-90000000001e"}');


--
-- Name: _sqlx_migrations _sqlx_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (home, account, shard);


--
-- Name: api_keys api_keys_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_hash_key UNIQUE (hash);


--
-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);


--
-- Name: catalogs catalogs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.catalogs
    ADD CONSTRAINT catalogs_pkey PRIMARY KEY (version);


--
-- Name: closed_balances closed_balances_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.closed_balances
    ADD CONSTRAINT closed_balances_pkey PRIMARY KEY (home, account, bucket, shard);


--
-- Name: directory directory_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.directory
    ADD CONSTRAINT directory_pkey PRIMARY KEY (account);


--
-- Name: event_cursors event_cursors_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event_cursors
    ADD CONSTRAINT event_cursors_pkey PRIMARY KEY (consumer, shard);


--
-- Name: job_batches job_batches_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.job_batches
    ADD CONSTRAINT job_batches_pkey PRIMARY KEY (run, number);


--
-- Name: job_runs job_runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);


--
-- Name: leases leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (shard, account, number);


--
-- Name: outbox_places outbox_places_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox_places
    ADD CONSTRAINT outbox_places_pkey PRIMARY KEY (shard);


--
-- Name: reservations reservations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reservations
    ADD CONSTRAINT reservations_pkey PRIMARY KEY (home, id, shard);


--
-- Name: accounts_account_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX accounts_account_key ON public.accounts USING btree (account, due_at);


--
-- Name: job_runs_job_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX job_runs_job_key ON public.job_runs USING btree (job, started_at);


--
-- Name: job_runs_started_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX job_runs_started_key ON public.job_runs USING btree (started_at);


--
-- Name: operations_default_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_default_at ON public.operations_default USING brin (at) WITH (pages_per_range='64', autosummarize='on');


--
-- Name: operations_default_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_default_key ON public.operations_default USING btree (home, account, key, shard) WHERE (key IS NOT NULL);


--
-- Name: operations_default_refund; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_default_refund ON public.operations_default USING btree (home, refers_to) WHERE (kind = 'refund'::text);


--
-- Name: operations_default_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_default_sequence ON public.operations_default USING btree (home, life, sequence, shard);


--
-- Name: operations_y2026m11_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2026m11_at ON public.operations_y2026m11 USING brin (at) WITH (pages_per_range='64', autosummarize='on');


--
-- Name: operations_y2026m11_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2026m11_key ON public.operations_y2026m11 USING btree (home, account, key, shard) WHERE (key IS NOT NULL);


--
-- Name: operations_y2026m11_refund; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2026m11_refund ON public.operations_y2026m11 USING btree (home, refers_to) WHERE (kind = 'refund'::text);


--
-- Name: operations_y2026m11_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2026m11_sequence ON public.operations_y2026m11 USING btree (home, life, sequence, shard);


--
-- Name: operations_y2026m12_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2026m12_at ON public.operations_y2026m12 USING brin (at) WITH (pages_per_range='64', autosummarize='on');


--
-- Name: operations_y2026m12_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2026m12_key ON public.operations_y2026m12 USING btree (home, account, key, shard) WHERE (key IS NOT NULL);


--
-- Name: operations_y2026m12_refund; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2026m12_refund ON public.operations_y2026m12 USING btree (home, refers_to) WHERE (kind = 'refund'::text);


--
-- Name: operations_y2026m12_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2026m12_sequence ON public.operations_y2026m12 USING btree (home, life, sequence, shard);


--
-- Name: operations_y2027m01_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2027m01_at ON public.operations_y2027m01 USING brin (at) WITH (pages_per_range='64', autosummarize='on');


--
-- Name: operations_y2027m01_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2027m01_key ON public.operations_y2027m01 USING btree (home, account, key, shard) WHERE (key IS NOT NULL);


--
-- Name: operations_y2027m01_refund; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX operations_y2027m01_refund ON public.operations_y2027m01 USING btree (home, refers_to) WHERE (kind = 'refund'::text);


--
-- Name: operations_y2027m01_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX operations_y2027m01_sequence ON public.operations_y2027m01 USING btree (home, life, sequence, shard);


--
-- Name: outbox_fresh_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_fresh_key ON public.outbox USING btree (shard, account, number) WHERE (place IS NULL);


--
-- Name: outbox_place_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_place_key ON public.outbox USING btree (shard, place) WHERE (place IS NOT NULL);


--
-- Name: reservations_due_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_due_key ON public.reservations USING btree (expires_at, home) WHERE ((state = 'open'::text) AND (home > ''::text));


--
-- Name: reservations_open_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reservations_open_key ON public.reservations USING btree (home, expires_at) WHERE (state = 'open'::text);


--
-- PostgreSQL database dump complete
--


