-- That somebody is logged in, on one device. Ends when it expires or is ended; what it gave opens nothing from then on.
-- Retention: deleted 30 days after it expired (session.kept-for).
create table account_session (
  id                  uuid primary key,
  person_id           uuid not null references person,
  provider            text not null check (provider in ('oidc', 'password')),
  provider_session_id text not null unique check (length(provider_session_id) between 1 and 300),
  user_agent          text not null check (length(user_agent) <= 200),
  ip_address          text not null check (length(ip_address) <= 64),
  signed_in_at        timestamptz not null,
  last_seen_at        timestamptz not null,
  expires_at          timestamptz not null,
  revoked_at          timestamptz,
  revoked_by          uuid references person,
  revoke_reason       text
);
create index account_session_by_person on account_session (person_id, signed_in_at desc, id desc);
create index account_session_revoked on account_session (revoked_at) where revoked_at is not null;
create index account_session_expires on account_session (expires_at);

-- Refresh tokens belong to sessions from here on: those from before belong to none, and their owners log in again.
-- Retention: deleted with their session, or a day after they expired.
drop table refresh_token;
create table refresh_token (
  hash       bytea primary key,
  session_id uuid not null references account_session on delete cascade,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_token_by_session on refresh_token (session_id);
create index refresh_token_expires on refresh_token (expires_at);

-- What the log-in page gives a browser, to be exchanged once, as hashes; with what it was asked for.
-- Retention: deleted an hour after they expired, so that a second use is known as one.
create table log_in_code (
  hash         bytea primary key,
  person_id    uuid not null references person,
  client_id    text not null,
  redirect_uri text not null,
  challenge    text not null,
  nonce        text,
  scope        text not null,
  made_at      timestamptz not null,
  expires_at   timestamptz not null,
  used_at      timestamptz,
  session_id   uuid references account_session on delete set null
);
create index log_in_code_expires on log_in_code (expires_at);

-- Wrong passwords by name, whether there is somebody of that name or not. Names as hashes: people type passwords there.
-- Retention: deleted a day after the last of them.
create table password_tries (
  name_hash    bytea primary key,
  failures     int not null,
  since        timestamptz not null,
  locked_until timestamptz
);
create index password_tries_since on password_tries (since);
