package gpuaas.db;

/** The database is there, and is not one that this version of the program can work with. */
public final class DatabaseUnfit extends RuntimeException {

  private static final long serialVersionUID = 1;

  DatabaseUnfit(RuntimeException cause) {
    super(
        "it was made by another version of this program, or somebody changed its tables; run that"
            + " version, or start with an empty database ("
            + firstLines(String.valueOf(cause.getMessage()))
            + ")",
        cause);
  }

  private static String firstLines(String text) {
    return text.lines()
        .filter(line -> !line.contains("http"))
        .limit(2)
        .reduce((one, other) -> one + " " + other)
        .orElse("");
  }
}
