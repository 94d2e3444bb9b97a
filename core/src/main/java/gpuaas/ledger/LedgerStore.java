package gpuaas.ledger;

import gpuaas.db.Batch;
import gpuaas.db.Tx;
import gpuaas.ledger.Account.Kind;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.SqlStatement;

/** Accounts, transfers and balances in the database. */
public final class LedgerStore {

  private static final int STRIPES = 16;

  /** The rows of balances are taken in order, so that no two wait for each other. */
  private static final Batch<Transfer> POSTED =
      new Batch<>() {
        @Override
        public String sql(int rows) {
          return rows == 1 ? POST_ONE : POST_MANY;
        }

        @Override
        public void bind(SqlStatement<?> statement, List<Transfer> transfers) {
          statement.bind("stripes", STRIPES);
          if (transfers.size() == 1) {
            bindOne(statement, transfers.getFirst());
          } else {
            bindMany(statement, transfers);
          }
        }
      };

  /** Most are alone; without arrays the database plans the statement once and for all. */
  private static final String POST_ONE =
      """
      with made as (
        insert into transfer (id, tenant_id, debit_account, credit_account, amount_micros, kind, lease_id, at, reason)
        values (:transfer, :tenant, :debit, :credit, :amount, :kind, :lease::uuid, :at, :reason)
        on conflict (id) do nothing
        returning id
      )
      insert into balance (account_id, stripe, micros)
      select account_id, pg_backend_pid() % :stripes, micros
        from made cross join (values (:first::uuid, :firstMicros::bigint), (:second::uuid, :secondMicros::bigint))
          as entry (account_id, micros)
      on conflict (account_id, stripe) do update set micros = balance.micros + excluded.micros
      """;

  private static final String POST_MANY =
      """
      with made as (
        insert into transfer (id, tenant_id, debit_account, credit_account, amount_micros, kind, lease_id, at, reason)
        select * from unnest(:transfers, :tenants, :debits, :credits, :amounts, :kinds, :leases, :times::timestamptz[], :reasons)
        on conflict (id) do nothing
        returning debit_account, credit_account, amount_micros
      ), entry as (
        select debit_account as account_id, -amount_micros as micros from made
        union all
        select credit_account, amount_micros from made
      )
      insert into balance (account_id, stripe, micros)
      select account_id, pg_backend_pid() % :stripes, sum(micros) from entry group by account_id order by account_id
      on conflict (account_id, stripe) do update set micros = balance.micros + excluded.micros
      """;

  private LedgerStore() {}

  /** Makes the accounts of a tenant; true: they are new. */
  static boolean open(Tx tx, UUID tenant, String currency) {
    var batch =
        tx.batch(
            "insert into account (id, tenant_id, kind, currency) values (:id, :tenant, :kind,"
                + " :currency) on conflict do nothing");
    for (Kind kind : tenant.equals(Account.PLATFORM) ? Kind.OF_PLATFORM : Kind.OF_TENANTS) {
      batch
          .bind("id", new Account(tenant, kind, currency).id())
          .bind("tenant", tenant)
          .bind("kind", kind.text())
          .bind("currency", currency)
          .add();
    }
    int made = 0;
    for (int count : batch.execute()) {
      made += count;
    }
    return made > 0;
  }

  /**
   * Until the end of the transaction nobody else decides about the tenant's funds. Transfers go on:
   * what they take was decided before.
   */
  static void lock(Tx tx, Account funds) {
    tx.query("select 1 from account where id = :id for no key update")
        .bind("id", funds.id())
        .mapTo(Integer.class)
        .list();
  }

  /**
   * Writes transfers and what they do to the balances, in one statement, so that one can never be
   * without the other. A transfer that is there already does nothing again.
   */
  static void post(Tx tx, List<Transfer> transfers) {
    transfers.forEach(transfer -> tx.later(POSTED, transfer));
  }

  private static void bindOne(SqlStatement<?> statement, Transfer transfer) {
    // In the order of the database, as with many.
    boolean debitFirst = transfer.debit().toString().compareTo(transfer.credit().toString()) < 0;
    long micros = transfer.amountMicros();
    statement
        .bind("transfer", transfer.id())
        .bind("tenant", transfer.tenant())
        .bind("debit", transfer.debit())
        .bind("credit", transfer.credit())
        .bind("amount", micros)
        .bind("kind", transfer.kind().text())
        .bind("lease", transfer.lease().orElse(null))
        .bind("at", transfer.at())
        .bind("reason", transfer.reason())
        .bind("first", debitFirst ? transfer.debit() : transfer.credit())
        .bind("firstMicros", debitFirst ? -micros : micros)
        .bind("second", debitFirst ? transfer.credit() : transfer.debit())
        .bind("secondMicros", debitFirst ? micros : -micros);
  }

  private static void bindMany(SqlStatement<?> statement, List<Transfer> transfers) {
    statement
        .bindArray("transfers", UUID.class, transfers.stream().map(Transfer::id).toList())
        .bindArray("tenants", UUID.class, transfers.stream().map(Transfer::tenant).toList())
        .bindArray("debits", UUID.class, transfers.stream().map(Transfer::debit).toList())
        .bindArray("credits", UUID.class, transfers.stream().map(Transfer::credit).toList())
        .bindArray("amounts", Long.class, transfers.stream().map(Transfer::amountMicros).toList())
        .bindArray(
            "kinds", String.class, transfers.stream().map(each -> each.kind().text()).toList())
        .bindArray(
            "leases",
            UUID.class,
            transfers.stream().map(each -> each.lease().orElse(null)).toArray())
        .bindArray(
            "times", String.class, transfers.stream().map(each -> each.at().toString()).toList())
        .bindArray("reasons", String.class, transfers.stream().map(Transfer::reason).toList());
  }

  /** What is in an account, in millionths. */
  static long balance(Tx tx, Account account) {
    return tx.query("select coalesce(sum(micros), 0) from balance where account_id = :id")
        .bind("id", account.id())
        .mapTo(Long.class)
        .one();
  }

  /** The last transfers of a tenant, newest first. */
  static List<Transfer> list(Tx tx, UUID tenant, int limit) {
    return tx.query(
            """
            select * from transfer where tenant_id = :tenant order by at desc, id limit :limit
            """)
        .bind("tenant", tenant)
        .bind("limit", limit)
        .map(LedgerStore::read)
        .list();
  }

  /** Every transfer for a lease, oldest first. */
  public static List<Transfer> ofLease(Tx tx, UUID lease) {
    return tx.query("select * from transfer where lease_id = :lease order by at, id limit 100000")
        .bind("lease", lease)
        .map(LedgerStore::read)
        .list();
  }

  /**
   * What does not add up, as sentences: none, ever. Reads everything, so it is for tests and for
   * the doctor.
   */
  public static List<String> differences(Tx tx) {
    return tx.query(
            """
            with entry as (
              select debit_account as account_id, -amount_micros as micros from transfer
              union all
              select credit_account, amount_micros from transfer
            ), written as (
              select account_id, sum(micros) as micros from entry group by account_id
            ), kept as (
              select account_id, sum(micros) as micros from balance group by account_id
            )
            select 'account ' || coalesce(written.account_id, kept.account_id) || ' has ' || coalesce(kept.micros, 0)
                   || ', its entries say ' || coalesce(written.micros, 0)
              from written full join kept using (account_id)
             where coalesce(written.micros, 0) <> coalesce(kept.micros, 0)
            union all
            select 'tenant ' || tenant_id || ' adds up to ' || sum(micros)
              from balance join account on account.id = account_id group by tenant_id, currency having sum(micros) <> 0
            union all
            select 'tenant ' || tenant_id || ' has ' || held || ' held, its leases say ' || said
              from (select account.tenant_id,
                           coalesce((select sum(micros) from balance where account_id = account.id), 0) as held,
                           coalesce((select sum(held_micros) from hold
                                      where hold.tenant_id = account.tenant_id and hold.currency = account.currency), 0) as said
                      from account where kind = 'held') both_sides
             where held <> said
            union all
            select 'lease ' || hold.lease_id || ' cost ' || hold.cost_micros || ', its use says ' || coalesce(used.cost, 0)
                   || ', its transfers say ' || coalesce(paid.micros, 0)
              from hold
              left join (select lease_id, sum(cost_micros) as cost from usage group by lease_id) used on used.lease_id = hold.lease_id
              left join (select lease_id, sum(amount_micros) as micros from transfer where kind = 'usage' group by lease_id) paid
                on paid.lease_id = hold.lease_id
             where hold.cost_micros <> coalesce(used.cost, 0) or hold.cost_micros <> coalesce(paid.micros, 0)
            limit 100
            """)
        .mapTo(String.class)
        .list();
  }

  private static Transfer read(RowView row) {
    return new Transfer(
        row.getColumn("id", UUID.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("debit_account", UUID.class),
        row.getColumn("credit_account", UUID.class),
        row.getColumn("amount_micros", Long.class),
        Transfer.Kind.valueOf(
            row.getColumn("kind", String.class).toUpperCase(java.util.Locale.ROOT)),
        Optional.ofNullable(row.getColumn("lease_id", UUID.class)),
        row.getColumn("at", Instant.class),
        row.getColumn("reason", String.class));
  }
}
