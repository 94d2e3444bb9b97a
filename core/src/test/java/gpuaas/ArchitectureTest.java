package gpuaas;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The laws of the core: the staircase, one place for SQL, no clock in decisions, plain names. */
class ArchitectureTest {

  /**
   * A package may use only those before it. {@code lease} may use all that it is made of; what
   * comes after it is what runs in leases.
   */
  private static final List<String> STAIRCASE =
      List.of(
          "base",
          "db",
          "work",
          "audit",
          "events",
          "operation",
          "identity",
          "session",
          "policy",
          "provider",
          "access",
          "catalog",
          "capacity",
          "ledger",
          "archive",
          "command",
          "disk",
          "queue",
          "lease",
          "group",
          "oversight",
          "web",
          "fill");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(STAIRCASE.stream().map(step -> "gpuaas." + step).toArray(String[]::new));

  @Test
  void aPackageUsesOnlyThoseBeforeItOnTheStaircase() {
    for (int i = 0; i < STAIRCASE.size(); i++) {
      String[] later =
          STAIRCASE.subList(i + 1, STAIRCASE.size()).stream()
              .map(step -> "gpuaas." + step)
              .toArray(String[]::new);
      if (later.length > 0) {
        check(
            noClasses()
                .that()
                .resideInAPackage("gpuaas." + STAIRCASE.get(i))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(later)
                .because("a lower step tells a higher one by an event or a function it was given"));
      }
    }
  }

  @Test
  void onlyDbKnowsJdbc() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("gpuaas.db")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql", "com.zaxxer.hikari", "org.flywaydb..")
            .because("all else speaks to the database through Tx"));
  }

  @Test
  void onlyStoresHoldSql() {
    check(
        noClasses()
            .that()
            .resideOutsideOfPackage("gpuaas.db")
            .and()
            .haveSimpleNameNotEndingWith("Store")
            .should()
            .callMethod("gpuaas.db.Tx", "query", String.class.getName())
            .orShould()
            .callMethod("gpuaas.db.Tx", "update", String.class.getName())
            .because("all SQL of a noun is in the noun's Store"));
  }

  @Test
  void nobodyAsksForTheTimeOrForChance() {
    check(
        noClasses()
            .that()
            .doNotHaveFullyQualifiedName("gpuaas.base.Ids")
            .should()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(UUID.class, "randomUUID")
            .orShould()
            .callConstructor(java.util.Random.class)
            .because(
                "time comes from an InstantSource and ids from Ids, so that decisions can be"
                    + " replayed"));
  }

  @Test
  void decisionsArePure() {
    check(
        classes()
            .that()
            .haveFullyQualifiedName("gpuaas.lease.Lease")
            .or()
            .haveFullyQualifiedName("gpuaas.capacity.Delay")
            .or()
            .haveFullyQualifiedName("gpuaas.capacity.Placement")
            .or()
            .haveNameMatching(
                "gpuaas\\.(capacity\\.FreeIndex|queue\\.(Line|Head|Horizon|Waiter))(\\$.*)?")
            .or()
            .haveFullyQualifiedName("gpuaas.capacity.OfferHealth")
            .or()
            .haveFullyQualifiedName("gpuaas.capacity.Shop")
            .or()
            .haveNameMatching(
                "gpuaas\\.(ledger\\.(Hold|Usage|Evidence|Spending)|catalog\\.(Price|PriceBook))(\\$.*)?")
            .or()
            .haveNameMatching(
                "gpuaas\\.policy\\.(PolicyDefinition|PolicyValue|PolicyBook|Holding)(\\$.*)?")
            .or()
            .haveNameMatching(
                "gpuaas\\.lease\\.(LeaseState|LeaseSignal|Change|EndReason|LeaseSpec|LeaseRules|LeaseHistory|Guards|Place)(\\$.*)?")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage(
                        "java.lang..",
                        "java.time..",
                        "java.util..",
                        "gpuaas.base",
                        "gpuaas.archive",
                        "gpuaas.lease",
                        "gpuaas.catalog",
                        "gpuaas.capacity",
                        "gpuaas.events",
                        "gpuaas.ledger",
                        "gpuaas.policy",
                        "gpuaas.queue",
                        "gpuaas.spi",
                        "gpuaas.spi.gang",
                        "org.jspecify..")
                    .and(
                        not(
                            com.tngtech.archunit.core.domain.JavaClass.Predicates
                                .simpleNameEndingWith("Store"))))
            .because("the heart is tested in microseconds"));
  }

  @Test
  void theCoreKnowsNoHttpAndNoProvider() {
    check(
        noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "io.javalin..",
                "org.eclipse.jetty..",
                "gpuaas.local..",
                "gpuaas.sim..",
                "gpuaas.http..",
                "gpuaas.main..")
            .because("a dialect translates, and a provider is found at run time"));
  }

  @Test
  void namesSayWhatAThingIs() {
    check(
        noClasses()
            .should()
            .haveSimpleNameEndingWith("Manager")
            .orShould()
            .haveSimpleNameEndingWith("Helper")
            .orShould()
            .haveSimpleNameEndingWith("Util")
            .orShould()
            .haveSimpleNameEndingWith("Utils")
            .orShould()
            .haveSimpleNameEndingWith("Impl")
            .orShould()
            .haveSimpleNameEndingWith("Dao")
            .orShould()
            .haveSimpleNameEndingWith("DTO")
            .because("these words say technology, not meaning"));
  }

  private static void check(ArchRule rule) {
    rule.check(CLASSES);
  }
}
