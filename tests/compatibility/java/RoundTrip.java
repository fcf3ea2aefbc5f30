import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java producer and the Java consumer with assign() against a broker: every codec, acks setting
 * and idempotence, one and six partitions, headers, seeks by offset and time, large records and many
 * small ones. Prints "ok NAME" or "failed NAME: why" for each claim.
 *
 * <p>Arguments: the bootstrap address, then claims to run (all when none is named).
 */
public final class RoundTrip {
  private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;

  private final String bootstrap;
  private final Admin admin;
  private final List<String> only;

  private RoundTrip(String bootstrap, List<String> only) {
    this.bootstrap = bootstrap;
    this.only = only;
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    this.admin = Admin.create(config);
  }

  private interface Claim {
    void check() throws Exception;
  }

  private void claim(String name, Claim claim) {
    if (!only.isEmpty() && only.stream().noneMatch(name::startsWith)) {
      return;
    }
    try {
      claim.check();
      System.out.println("ok " + name);
    } catch (Throwable e) {
      System.out.println("failed " + name + ": " + e);
      e.printStackTrace();
    }
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new IllegalStateException(what);
    }
  }

  private void create(String topic, int partitions, Map<String, String> configs) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
  }

  private KafkaProducer<byte[], byte[]> producer(Map<String, Object> overrides) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrap);
    config.put("key.serializer", ByteArraySerializer.class);
    config.put("value.serializer", ByteArraySerializer.class);
    config.put("linger.ms", 5);
    config.put("max.request.size", 20_000_000);
    config.put("buffer.memory", 100_000_000L);
    config.putAll(overrides);
    return new KafkaProducer<>(config);
  }

  private KafkaConsumer<byte[], byte[]> consumer() {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrap);
    config.put("key.deserializer", ByteArrayDeserializer.class);
    config.put("value.deserializer", ByteArrayDeserializer.class);
    config.put("enable.auto.commit", false);
    config.put("auto.offset.reset", "earliest");
    return new KafkaConsumer<>(config);
  }

  private static List<TopicPartition> partitions(String topic, int count) {
    List<TopicPartition> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new TopicPartition(topic, i));
    }
    return all;
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(
      KafkaConsumer<byte[], byte[]> consumer, int count) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (all.size() < count && System.nanoTime() < deadline) {
      consumer.poll(Duration.ofMillis(200)).forEach(all::add);
    }
    require(all.size() == count, "read " + all.size() + " of " + count + " records");
    return all;
  }

  private static byte[] text(String value) {
    return value.getBytes(StandardCharsets.UTF_8);
  }

  private void roundTrip(String topic, int partitionCount, int count, Map<String, Object> overrides)
      throws Exception {
    create(topic, partitionCount, Map.of());
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (KafkaProducer<byte[], byte[]> producer = producer(overrides)) {
      for (int i = 0; i < count; i++) {
        ProducerRecord<byte[], byte[]> record =
            new ProducerRecord<>(
                topic, i % partitionCount, FIRST_TIMESTAMP + i,
                i % 3 == 0 ? null : text("key-" + i), i % 7 == 0 ? null : text("value-" + i));
        record.headers().add("number", text("" + i)).add("none", null);
        sent.add(producer.send(record));
      }
      producer.flush();
    }
    boolean acknowledged = !"0".equals(overrides.get("acks"));
    for (Future<RecordMetadata> future : sent) {
      RecordMetadata metadata = future.get();
      require(!acknowledged || metadata.offset() >= 0, "an offset is missing");
    }
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer.assign(partitions(topic, partitionCount));
      Map<Integer, Long> next = new HashMap<>();
      for (ConsumerRecord<byte[], byte[]> record : read(consumer, count)) {
        long expected = next.getOrDefault(record.partition(), 0L);
        require(record.offset() == expected, "offset " + record.offset() + ", expected " + expected);
        next.put(record.partition(), expected + 1);
        int i = (int) (expected * partitionCount + record.partition());
        require(record.timestamp() == FIRST_TIMESTAMP + i, "timestamp of record " + i);
        require(
            Arrays.equals(record.key(), i % 3 == 0 ? null : text("key-" + i)), "key of record " + i);
        require(
            Arrays.equals(record.value(), i % 7 == 0 ? null : text("value-" + i)),
            "value of record " + i);
        Header[] headers = record.headers().toArray();
        require(headers.length == 2 && Arrays.equals(headers[0].value(), text("" + i))
            && headers[1].value() == null, "headers of record " + i);
      }
    }
  }

  private void codecsAcksAndIdempotence() {
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      for (int partitionCount : new int[] {1, 6}) {
        String name = codec + "-" + partitionCount + "-partitions";
        claim(name, () -> roundTrip(
            "java-" + name, partitionCount, 600, Map.of("compression.type", codec, "acks", "all")));
      }
    }
    for (String acks : List.of("0", "1", "all")) {
      claim("acks-" + acks, () -> roundTrip(
          "java-acks-" + acks, 2, 500, Map.of("acks", acks, "enable.idempotence", false)));
    }
    claim("idempotent-one-in-flight", () -> roundTrip(
        "java-idempotent", 3, 900,
        Map.of("enable.idempotence", true, "max.in.flight.requests.per.connection", 1)));
    claim("idempotent-small-batches", () -> roundTrip(
        "java-idempotent-small", 3, 3000,
        Map.of("enable.idempotence", true, "batch.size", 200, "linger.ms", 0)));
  }

  private void largeRecords() {
    claim("ten-megabyte-record", () -> {
      create("java-large", 1, Map.of("max.message.bytes", "12000000"));
      byte[] value = new byte[10_000_000];
      new Random(7).nextBytes(value);
      try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("acks", "all"))) {
        for (int i = 0; i < 3; i++) {
          require(producer.send(new ProducerRecord<>("java-large", value)).get().offset() == i, "offset");
        }
      }
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        consumer.assign(partitions("java-large", 1));
        for (ConsumerRecord<byte[], byte[]> record : read(consumer, 3)) {
          require(Arrays.equals(record.value(), value), "value of record " + record.offset());
        }
      }
    });
    claim("too-large-is-refused", () -> {
      create("java-too-large", 1, Map.of("max.message.bytes", "1000"));
      try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
        producer.send(new ProducerRecord<>("java-too-large", new byte[5000])).get();
        require(false, "a record above max.message.bytes was taken");
      } catch (java.util.concurrent.ExecutionException e) {
        require(e.getCause() instanceof org.apache.kafka.common.errors.RecordTooLargeException,
            "refused with " + e.getCause());
      }
    });
  }

  private void manySmallRecords() {
    claim("hundred-thousand-records", () -> {
      int count = 100_000;
      create("java-many", 6, Map.of("segment.bytes", "1048576"));
      try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("compression.type", "lz4"))) {
        for (int i = 0; i < count; i++) {
          producer.send(new ProducerRecord<>("java-many", text("" + i), text("value-" + i)));
        }
        producer.flush();
      }
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        consumer.assign(partitions("java-many", 6));
        boolean[] seen = new boolean[count];
        for (ConsumerRecord<byte[], byte[]> record : read(consumer, count)) {
          int i = Integer.parseInt(new String(record.key(), StandardCharsets.UTF_8));
          require(!seen[i], "record " + i + " came twice");
          seen[i] = true;
        }
      }
    });
  }

  private void seeks() {
    claim("seek-by-offset-and-time", () -> {
      create("java-seek", 1, Map.of("segment.bytes", "1048576", "index.interval.bytes", "512"));
      int count = 5000;
      try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("batch.size", 1500))) {
        for (int i = 0; i < count; i++) {
          producer.send(new ProducerRecord<>("java-seek", 0, FIRST_TIMESTAMP + 10L * i, null, text("v" + i)));
        }
        producer.flush();
      }
      TopicPartition partition = new TopicPartition("java-seek", 0);
      Collection<TopicPartition> one = List.of(partition);
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        consumer.assign(one);
        require(consumer.beginningOffsets(one).get(partition) == 0, "log start");
        require(consumer.endOffsets(one).get(partition) == count, "log end");
        for (int offset : new int[] {0, 1, 777, 2500, 4999}) {
          consumer.seek(partition, offset);
          ConsumerRecord<byte[], byte[]> first = null;
          while (first == null) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
              first = first == null ? record : first;
            }
          }
          require(first.offset() == offset, "seek to " + offset + " gave " + first.offset());
        }
        for (int i : new int[] {0, 1, 1234, 4999}) {
          Map<TopicPartition, OffsetAndTimestamp> found =
              consumer.offsetsForTimes(Map.of(partition, FIRST_TIMESTAMP + 10L * i - 3));
          require(found.get(partition).offset() == i, "time of record " + i + ": " + found);
          require(found.get(partition).timestamp() == FIRST_TIMESTAMP + 10L * i, "timestamp " + i);
        }
        Map<TopicPartition, OffsetAndTimestamp> beyond =
            consumer.offsetsForTimes(Map.of(partition, FIRST_TIMESTAMP + 10L * count));
        require(beyond.get(partition) == null, "a time beyond the end was found");
      }
    });
  }

  public static void main(String[] arguments) {
    RoundTrip test =
        new RoundTrip(arguments[0], Arrays.asList(arguments).subList(1, arguments.length));
    test.codecsAcksAndIdempotence();
    test.largeRecords();
    test.manySmallRecords();
    test.seeks();
    test.admin.close();
  }
}
