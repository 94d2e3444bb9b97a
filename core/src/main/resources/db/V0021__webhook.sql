-- Where a tenant wants to be told of what happens. The secrets are sealed with the key in the data folder.
-- Retention: until deleted; then, with its deliveries, at the next tidying.
create table webhook (
  id                uuid primary key,
  tenant_id         uuid not null references tenant,
  project_id        uuid not null references project, -- where it was made, for the audit trail
  voice             text not null, -- the dialect whose words it is told in
  url               text not null check (length(url) <= 2048),
  event_types       text[] not null,
  secret            text not null,
  old_secret        text,
  old_secret_until  timestamptz,
  after_number      bigint not null, -- told only of events with a greater number
  failures_in_row   integer not null default 0, -- attempts
  exhausted_in_row  integer not null default 0, -- deliveries given up
  enabled           boolean not null default true,
  disabled_at       timestamptz,
  made_at           timestamptz not null,
  deleted_at        timestamptz,
  check ((old_secret is null) = (old_secret_until is null))
);
create index webhook_by_tenant on webhook (tenant_id, voice, id desc) where deleted_at is null;

-- One event on its way to one endpoint. The body is kept as it is sent, so that all attempts send the same bytes.
-- Retention: deleted 30 days after it was made (webhook.kept), or with its endpoint.
create table webhook_delivery (
  id            uuid primary key,
  webhook_id    uuid not null references webhook,
  kind          text not null check (kind in ('event', 'resend', 'probe')),
  event_id      text not null,
  event_type    text not null,
  lease_id      uuid, -- only of kind event: those of one lease are sent in order
  sequence      bigint,
  body          text not null,
  state         text not null check (state in ('pending', 'delivered', 'exhausted', 'cancelled')),
  attempts      integer not null default 0,
  due_at        timestamptz not null,
  claimed_until timestamptz, -- somebody is at it; whoever died is not waited for longer than this
  last_at       timestamptz,
  last_status   integer,
  last_problem  text,
  made_at       timestamptz not null,
  check ((kind = 'event') = (lease_id is not null and sequence is not null))
);
create index webhook_delivery_due on webhook_delivery (webhook_id, due_at, id) where state = 'pending';
create index webhook_delivery_in_order on webhook_delivery (lease_id, sequence) where state = 'pending';
create index webhook_delivery_claimed on webhook_delivery (webhook_id, claimed_until) where state = 'pending' and claimed_until is not null;
create index webhook_delivery_listed on webhook_delivery (webhook_id, id desc);
create index webhook_delivery_made_at on webhook_delivery (made_at);
-- The relay makes each delivery once.
create unique index webhook_delivery_once on webhook_delivery (webhook_id, event_id) where kind = 'event';
