-- What providers offer, as last seen. Retention: replaced by each look.
create table offer (
  provider text not null,
  id       text not null,
  body     jsonb not null,
  seen_at  timestamptz not null,
  primary key (provider, id)
);

-- Machines that we place on ourselves, as last seen. Retention: kept; a machine that is gone is not schedulable.
create table node (
  provider    text not null,
  name        text not null,
  region      text not null,
  body        jsonb not null,
  schedulable boolean not null,
  message     text not null,
  seen_at     timestamptz not null,
  primary key (provider, name)
);

create table gpu (
  provider text not null,
  node     text not null,
  id       text not null,
  position integer not null,
  model    text not null,
  healthy  boolean not null,
  primary key (provider, node, id),
  foreign key (provider, node) references node (provider, name)
);
