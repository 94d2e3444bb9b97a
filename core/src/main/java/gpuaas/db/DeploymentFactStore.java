package gpuaas.db;

import java.util.Optional;
import java.util.function.Supplier;

/** Small facts about the deployment, each made once and kept. */
public final class DeploymentFactStore {

  private DeploymentFactStore() {}

  /** The fact, made now if it is not there. Of two servers that make it at once, one wins. */
  public static String getOrMake(Database database, String name, Supplier<String> make) {
    Optional<String> there = database.read(tx -> find(tx, name));
    if (there.isPresent()) {
      return there.get();
    }
    String made = make.get();
    return database.tx(tx -> {
      tx.update(
              "insert into deployment_fact (name, value) values (:name, :value) on conflict do"
                  + " nothing")
          .bind("name", name)
          .bind("value", made)
          .execute();
      return find(tx, name).orElseThrow();
    });
  }

  private static Optional<String> find(Tx tx, String name) {
    return tx.query("select value from deployment_fact where name = :name")
        .bind("name", name)
        .mapTo(String.class)
        .findOne();
  }
}
