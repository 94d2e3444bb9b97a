-- Products. Retention: kept; what is not sold any more is inactive.
create table sku (
  sku                       text primary key check (sku ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  vendor                    text not null,
  display_name              text not null,
  gpu_model                 text not null,
  gpus_total                integer not null check (gpus_total > 0),
  allowed_gpu_counts        integer[] not null,
  capacity_shape            text not null check (capacity_shape in ('baremetal', 'gpu_slice')),
  price_per_gpu_hour_micros bigint not null check (price_per_gpu_hour_micros >= 0),
  active                    boolean not null default true,
  resource_profile          jsonb not null default '{}'
);

insert into sku (sku, vendor, display_name, gpu_model, gpus_total, allowed_gpu_counts, capacity_shape, price_per_gpu_hour_micros, resource_profile) values
  ('h200-sxm-slice',        'NVIDIA',   'NVIDIA H200 GPU VM',      'H200',  8, '{1,2,4,8}',         'gpu_slice', 4500000, '{"fabric": "ib", "slice_unit_gpu_count": 1, "default_slice_vm_profile": "h200_1g_24c_64g"}'),
  ('h200-sxm-baremetal-8g', 'NVIDIA',   'NVIDIA H200 full node',   'H200',  8, '{8}',               'baremetal', 4000000, '{}'),
  ('h200',                  'NVIDIA',   'NVIDIA H200',             'H200',  8, '{8}',               'baremetal', 4000000, '{}'),
  ('h100',                  'NVIDIA',   'NVIDIA H100',             'H100',  8, '{8}',               'baremetal', 2000000, '{}'),
  ('mi300x',                'AMD',      'AMD Instinct MI300X',     'MI300X', 8, '{8}',              'baremetal', 4000000, '{}'),
  ('mi210x',                'AMD',      'AMD Instinct MI210X',     'MI210X', 8, '{8}',              'baremetal', 2000000, '{}'),
  ('cs-3',                  'Cerebras', 'Cerebras CS-3',           'CS-3',  1, '{1}',               'baremetal', 5000000, '{}'),
  ('cs-4',                  'Cerebras', 'Cerebras CS-4',           'CS-4',  1, '{1}',               'baremetal', 5000000, '{}');
