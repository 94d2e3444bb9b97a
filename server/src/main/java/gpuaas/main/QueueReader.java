package gpuaas.main;

import gpuaas.queue.QueueRules;

/** Reads what the queue goes by. */
final class QueueReader {

  private QueueReader() {}

  static QueueRules read(SettingsReader reader) {
    QueueRules standard = QueueRules.standard();
    return new QueueRules(
        reader.duration("gang.wait", standard.gangWait()),
        reader.integer("gang.members-most", standard.gangMost(), 1, 1000),
        reader.integer("gang.port", standard.gangPort(), 1, 65_535),
        reader.duration("queue.backfill-margin", standard.backfillMargin()),
        reader.integer("queue.backfill-most", standard.backfillMost(), 0, 10_000),
        reader.duration("queue.look-every", standard.lookEvery()));
  }
}
