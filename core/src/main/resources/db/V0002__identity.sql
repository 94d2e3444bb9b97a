-- Who owns and pays. Retention: kept.
create table tenant (
  id         uuid primary key,
  name       text not null check (length(name) between 1 and 200),
  made_at    timestamptz not null
);

-- The scope that resources live in. Retention: kept.
create table project (
  id         uuid primary key,
  tenant_id  uuid not null references tenant,
  slug       text not null check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name       text not null check (length(name) between 1 and 200),
  made_at    timestamptz not null,
  unique (tenant_id, slug)
);

-- People. Retention: kept.
create table person (
  id                 uuid primary key,
  username           text not null unique check (username ~ '^[a-z0-9][a-z0-9._@-]{0,126}$'),
  email              text,
  password_hash      text, -- Argon2id; none for those who log in elsewhere
  admin              boolean not null default false,
  default_project_id uuid not null references project,
  disabled_at        timestamptz,
  made_at            timestamptz not null
);

-- Refresh tokens of the built-in identity provider, as hashes.
-- Retention: deleted when they expire.
create table refresh_token (
  hash       bytea primary key,
  person_id  uuid not null references person,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_token_expires on refresh_token (expires_at);
