-- What administrators set in place of the defaults of policies. Retention: until it is removed.
create sequence policy_version;
create table policy_value (
  policy   text not null,
  scope    text not null check (scope in ('global', 'tenant', 'project')),
  owner_id uuid not null, -- the tenant or the project; global: zero
  author   text not null check (author in ('platform', 'tenant')),
  value    bigint not null,
  version  bigint not null unique default nextval('policy_version'),
  set_by   uuid not null,
  set_at   timestamptz not null,
  primary key (policy, scope, owner_id, author),
  check (scope <> 'global' or author = 'platform')
);
