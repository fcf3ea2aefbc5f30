import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupSubscribedToTopicException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The Java consumer as a member of groups, transactions, and the admin client of both, against a
 * broker. Prints "ok NAME" or "failed NAME: why" for each claim.
 *
 * <p>Arguments: the bootstrap address, then claims to run (all when none is named).
 */
public final class GroupRoundTrip {
  private static final Duration LIMIT = Duration.ofSeconds(40);
  private static final Map<String, Map<String, Object>> PROTOCOLS = Map.of(
      "range", Map.of("partition.assignment.strategy", RangeAssignor.class.getName()),
      "cooperative-sticky",
      Map.of("partition.assignment.strategy", CooperativeStickyAssignor.class.getName()),
      "consumer", Map.of("group.protocol", "consumer"));

  private final String bootstrap;
  private final Admin admin;
  private final List<String> only;

  private GroupRoundTrip(String bootstrap, List<String> only) {
    this.bootstrap = bootstrap;
    this.only = only;
    Properties config = new Properties();
    config.put("bootstrap.servers", bootstrap);
    this.admin = Admin.create(config);
  }

  private interface Claim {
    void check(String name) throws Exception;
  }

  private void claim(String name, Claim claim) {
    if (!only.isEmpty() && only.stream().noneMatch(name::startsWith)) {
      return;
    }
    try {
      claim.check(name);
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

  private static void requireEquals(Object expected, Object got, String what) {
    require(expected.equals(got), what + ": " + got + ", expected " + expected);
  }

  private void create(String topic, int partitions) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
  }

  private void fill(String topic, int partitions, int count) {
    try (KafkaProducer<String, String> producer = producer(Map.of())) {
      for (int i = 0; i < count; i++) {
        producer.send(new ProducerRecord<>(topic, i % partitions, null, "" + i));
      }
      producer.flush();
    }
  }

  private KafkaProducer<String, String> producer(Map<String, Object> overrides) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrap);
    config.put("key.serializer", StringSerializer.class);
    config.put("value.serializer", StringSerializer.class);
    config.put("linger.ms", 2);
    config.putAll(overrides);
    return new KafkaProducer<>(config);
  }

  private KafkaProducer<String, String> transactional(String id) {
    KafkaProducer<String, String> producer = producer(Map.of("transactional.id", id));
    producer.initTransactions();
    return producer;
  }

  /** A member of a group that notes what it was made to give up. */
  private final class Member implements AutoCloseable, ConsumerRebalanceListener {
    final KafkaConsumer<String, String> consumer;
    final List<Set<TopicPartition>> revoked = new ArrayList<>();
    int assignments = 0;

    Member(String group, String protocol, Map<String, Object> overrides) {
      Map<String, Object> config = new HashMap<>();
      config.put("bootstrap.servers", bootstrap);
      config.put("group.id", group);
      config.put("key.deserializer", StringDeserializer.class);
      config.put("value.deserializer", StringDeserializer.class);
      config.put("enable.auto.commit", false);
      config.put("auto.offset.reset", "earliest");
      config.put("metadata.max.age.ms", 1000);
      if (!protocol.equals("consumer")) {
        config.put("session.timeout.ms", 8000);
        config.put("heartbeat.interval.ms", 300);
      }
      config.putAll(PROTOCOLS.get(protocol));
      config.putAll(overrides);
      consumer = new KafkaConsumer<>(config);
    }

    Member subscribe(String topic) {
      consumer.subscribe(List.of(topic), this);
      return this;
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) {
        revoked.add(new HashSet<>(partitions));
      }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      assignments++;
    }

    @Override
    public void close() {
      consumer.close();
    }
  }

  private Member member(String group, String protocol, String topic, Map<String, Object> overrides) {
    return new Member(group, protocol, overrides).subscribe(topic);
  }

  private static List<ConsumerRecord<String, String>> poll(List<Member> members) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    for (Member member : members) {
      member.consumer.poll(Duration.ofMillis(60)).forEach(records::add);
    }
    return records;
  }

  /** Polls the members until `reached`; records that come meanwhile are dropped. */
  private static void until(List<Member> members, BooleanSupplier reached, String what) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!reached.getAsBoolean()) {
      require(System.nanoTime() < deadline, "no " + what + " in time");
      poll(members);
    }
  }

  /** Polls until the members own that many partitions, no partition twice. */
  private static void settle(List<Member> members, Integer... shares) {
    Arrays.sort(shares);
    until(members, () -> {
      Set<TopicPartition> all = new HashSet<>();
      List<Integer> sizes = new ArrayList<>();
      for (Member member : members) {
        all.addAll(member.consumer.assignment());
        sizes.add(member.consumer.assignment().size());
      }
      sizes.sort(null);
      return sizes.equals(List.of(shares)) && all.size() == sizes.stream().mapToInt(i -> i).sum();
    }, "shares " + Arrays.toString(shares));
  }

  private void groups() {
    for (String protocol : PROTOCOLS.keySet()) {
      claim("second-member-takes-its-share-" + protocol, name -> {
        create(name, 4);
        try (Member first = member(name, protocol, name, Map.of())) {
          settle(List.of(first), 4);
          try (Member second = member(name, protocol, name, Map.of())) {
            settle(List.of(first, second), 2, 2);
            if (!protocol.equals("range")) {
              requireEquals(1, first.revoked.size(), "revocations of " + protocol);
              requireEquals(2, first.revoked.get(0).size(), "partitions revoked");
            }
          }
          settle(List.of(first), 4);
        }
      });
      claim("static-member-comes-back-" + protocol, name -> staticMember(name, protocol));
      claim("commits-resume-" + protocol, name -> {
        create(name, 1);
        fill(name, 1, 10);
        TopicPartition partition = new TopicPartition(name, 0);
        try (Member first = member(name, protocol, name, Map.of())) {
          settle(List.of(first), 1);
          first.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(6, "six")));
          requireEquals("six", first.consumer.committed(Set.of(partition)).get(partition).metadata(),
              "metadata");
        }
        try (Member second = member(name, protocol, name, Map.of())) {
          List<ConsumerRecord<String, String>> records = new ArrayList<>();
          until(List.of(), () -> {
            records.addAll(poll(List.of(second)));
            return !records.isEmpty();
          }, "record");
          requireEquals(6L, records.get(0).offset(), "first record");
        }
      });
    }
    claim("second-holder-of-an-instance-id-fences-the-first", name -> {
      create(name, 2);
      try (Member first = member(name, "range", name, Map.of("group.instance.id", "one"));
          Member second = member(name, "range", name, Map.of("group.instance.id", "one"))) {
        settle(List.of(first), 2);
        settle(List.of(second), 2);
        boolean fenced = false;
        try {
          first.consumer.commitSync(Map.of(new TopicPartition(name, 0), new OffsetAndMetadata(1)));
        } catch (FencedInstanceIdException e) {
          fenced = true;
        }
        require(fenced, "the first holder could commit");
      }
    });
    claim("broker-matches-the-pattern", name -> {
      create(name + ".a", 2);
      create("not." + name, 2);
      try (Member first = new Member(name, "consumer", Map.of());
          Member second = new Member(name, "consumer", Map.of())) {
        first.consumer.subscribe(new SubscriptionPattern(name + "\\.[a-c]"), first);
        second.consumer.subscribe(new SubscriptionPattern(name + "\\.[a-c]"), second);
        settle(List.of(first, second), 1, 1);
        first.revoked.clear();
        second.revoked.clear();
        create(name + ".b", 2);
        create(name + ".x", 2);
        settle(List.of(first, second), 2, 2);
        Set<String> topics = new TreeSet<>();
        first.consumer.assignment().forEach(p -> topics.add(p.topic()));
        second.consumer.assignment().forEach(p -> topics.add(p.topic()));
        requireEquals(Set.of(name + ".a", name + ".b"), topics, "topics");
        require(first.revoked.isEmpty() && second.revoked.isEmpty(), "a new topic moved partitions");
      }
    });
    claim("server-side-range-assignor", name -> {
      create(name, 5);
      Map<String, Object> range = Map.of("group.remote.assignor", "range");
      try (Member first = member(name, "consumer", name, range);
          Member second = member(name, "consumer", name, range)) {
        settle(List.of(first, second), 2, 3);
        Set<Integer> three = new TreeSet<>();
        Member larger = first.consumer.assignment().size() == 3 ? first : second;
        larger.consumer.assignment().forEach(p -> three.add(p.partition()));
        requireEquals(Set.of(0, 1, 2), three, "the larger range");
      }
    });
  }

  private void staticMember(String name, String protocol) throws Exception {
    create(name, 4);
    Map<String, Object> session = protocol.equals("consumer") ? Map.of() : Map.of("session.timeout.ms", 20000);
    Map<String, Object> stays = new HashMap<>(session);
    stays.put("group.instance.id", "stays");
    Map<String, Object> leaves = new HashMap<>(session);
    leaves.put("group.instance.id", "leaves");
    try (Member first = member(name, protocol, name, stays)) {
      Set<TopicPartition> before;
      try (Member second = member(name, protocol, name, leaves)) {
        settle(List.of(first, second), 2, 2);
        before = Set.copyOf(second.consumer.assignment());
      }
      int generation = first.consumer.groupMetadata().generationId();
      first.revoked.clear();
      try (Member back = member(name, protocol, name, leaves)) {
        settle(List.of(first, back), 2, 2);
        requireEquals(before, back.consumer.assignment(), "partitions of the one that came back");
        require(first.revoked.isEmpty(), "the one that stayed was disturbed");
        if (!protocol.equals("consumer")) {
          requireEquals(generation, first.consumer.groupMetadata().generationId(), "generation");
        }
      }
    }
  }

  /** Copies in transactions, aborts some at random and begins anew as after a crash. */
  private void copy(String name, String protocol) throws Exception {
    long seed = System.nanoTime();
    System.out.println("seed of " + name + ": " + seed);
    Random random = new Random(seed);
    int count = 1200;
    create(name, 2);
    create(name + "-copy", 2);
    fill(name, 2, count);
    int committed = 0;
    long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
    while (committed < count) {
      KafkaProducer<String, String> producer = transactional(name);
      Member member = member(name, protocol, name, Map.of("max.poll.records", 40, "isolation.level", "read_committed"));
      boolean crashed = false;
      while (!crashed && committed < count) {
        require(System.nanoTime() < deadline, "copied only " + committed + " in time, seed " + seed);
        List<ConsumerRecord<String, String>> records = poll(List.of(member));
        if (records.isEmpty()) {
          continue;
        }
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
          producer.send(new ProducerRecord<>(name + "-copy", record.partition(), null, record.value()));
          next.put(new TopicPartition(name, record.partition()), new OffsetAndMetadata(record.offset() + 1));
        }
        producer.sendOffsetsToTransaction(next, member.consumer.groupMetadata());
        int fate = random.nextInt(10);
        if (fate < 6) {
          producer.commitTransaction();
          committed += records.size();
        } else if (fate < 9) {
          producer.abortTransaction();
          member.consumer.committed(member.consumer.assignment()).forEach((partition, offset) ->
              member.consumer.seek(partition, offset == null ? 0 : offset.offset()));
        } else {
          crashed = true; // the transaction stays open until its successor ends it
        }
      }
      producer.close(Duration.ZERO);
      member.close();
    }
    for (int partition = 0; partition < 2; partition++) {
      List<String> expected = new ArrayList<>();
      for (int i = partition; i < count; i += 2) {
        expected.add("" + i);
      }
      requireEquals(expected, committedValues(name + "-copy", partition), "copy, seed " + seed);
    }
  }

  private List<String> committedValues(String topic, int number) throws Exception {
    TopicPartition partition = new TopicPartition(topic, number);
    long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(partition).get().offset();
    List<String> values = new ArrayList<>();
    try (Member reader = new Member("reader", "range", Map.of("isolation.level", "read_committed"))) {
      reader.consumer.assign(List.of(partition));
      reader.consumer.seek(partition, 0);
      long deadline = System.nanoTime() + LIMIT.toNanos();
      while (reader.consumer.position(partition) < end) {
        require(System.nanoTime() < deadline, "the reader stopped short of " + end);
        reader.consumer.poll(Duration.ofMillis(200)).forEach(r -> values.add(r.value()));
      }
    }
    return values;
  }

  private void transactions() {
    for (String protocol : PROTOCOLS.keySet()) {
      claim("copy-with-random-aborts-is-exactly-once-" + protocol, name -> copy(name, protocol));
    }
    claim("read-committed-never-sees-aborted-records", name -> {
      create(name, 1);
      int count = 120;
      List<String> expected = new ArrayList<>();
      Random random = new Random(11);
      try (KafkaProducer<String, String> producer = transactional(name);
          Member reader = new Member(name, "range", Map.of("isolation.level", "read_committed"))) {
        reader.consumer.assign(List.of(new TopicPartition(name, 0)));
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          producer.beginTransaction();
          boolean commit = random.nextBoolean();
          for (int j = 0; j < 5; j++) {
            String value = (commit ? "yes-" : "no-") + i + "-" + j;
            producer.send(new ProducerRecord<>(name, value));
            if (commit) {
              expected.add(value);
            }
          }
          producer.flush();
          reader.consumer.poll(Duration.ofMillis(5)).forEach(r -> seen.add(r.value()));
          if (commit) {
            producer.commitTransaction();
          } else {
            producer.abortTransaction();
          }
        }
        until(List.of(), () -> {
          poll(List.of(reader)).forEach(r -> seen.add(r.value()));
          return seen.size() >= expected.size();
        }, "end of the log");
        requireEquals(expected, seen, "records");
      }
    });
    claim("second-producer-fences-the-first", name -> {
      create(name, 1);
      try (KafkaProducer<String, String> first = transactional(name)) {
        first.beginTransaction();
        first.send(new ProducerRecord<>(name, "lost")).get();
        try (KafkaProducer<String, String> second = transactional(name)) {
          Throwable why = null;
          try {
            first.send(new ProducerRecord<>(name, "late"));
            first.commitTransaction();
          } catch (ProducerFencedException | InvalidProducerEpochException e) {
            why = e;
          }
          require(why != null, "the first producer could commit");
          second.beginTransaction();
          second.send(new ProducerRecord<>(name, "kept"));
          second.commitTransaction();
        }
      }
      requireEquals(List.of("kept"), committedValues(name, 0), "records");
    });
    claim("offsets-of-a-member-that-left-are-refused", name -> {
      create(name, 1);
      ConsumerGroupMetadata stale;
      try (Member first = member(name, "range", name, Map.of())) {
        settle(List.of(first), 1);
        stale = first.consumer.groupMetadata();
      }
      try (KafkaProducer<String, String> producer = transactional(name);
          Member heir = member(name, "range", name, Map.of())) {
        settle(List.of(heir), 1);
        producer.beginTransaction();
        boolean refused = false;
        try {
          producer.sendOffsetsToTransaction(
              Map.of(new TopicPartition(name, 0), new OffsetAndMetadata(9)), stale);
        } catch (CommitFailedException e) {
          refused = true;
        }
        require(refused, "a member that left could commit");
        producer.abortTransaction();
      }
    });
  }

  private void administration() {
    claim("hanging-transaction-is-shown-and-ended", name -> {
      create(name, 1);
      TopicPartition partition = new TopicPartition(name, 0);
      try (KafkaProducer<String, String> producer = transactional(name)) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(name, "open")).get();
        var state = admin.describeTransactions(List.of(name)).description(name).get();
        requireEquals(TransactionState.ONGOING, state.state(), "state");
        requireEquals(Set.of(partition), state.topicPartitions(), "partitions");
        require(admin.listTransactions().all().get().stream().anyMatch(t -> t.transactionalId().equals(name)),
            "the transaction is not listed");
        var writer = admin.describeProducers(List.of(partition)).partitionResult(partition).get()
            .activeProducers().get(0);
        requireEquals(state.producerId(), writer.producerId(), "producer id");
        requireEquals(0L, writer.currentTransactionStartOffset().getAsLong(), "start of the transaction");
        requireEquals(0L, admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
            new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(partition).get().offset(),
            "last stable offset");
        admin.fenceProducers(List.of(name)).all().get();
        until(List.of(), () -> {
          try {
            return admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
                new ListOffsetsOptions(IsolationLevel.READ_COMMITTED)).partitionResult(partition).get().offset() == 2;
          } catch (InterruptedException | ExecutionException e) {
            return false;
          }
        }, "end of the transaction");
      }
    });
    claim("groups-are-changed-by-the-admin", name -> {
      create(name, 2);
      TopicPartition partition = new TopicPartition(name, 0);
      try (Member member = member(name, "range", name, Map.of("group.instance.id", "i"))) {
        settle(List.of(member), 2);
        member.consumer.commitSync(Map.of(partition, new OffsetAndMetadata(3, "three")));
        var described = admin.describeConsumerGroups(List.of(name)).all().get().get(name);
        requireEquals(GroupState.STABLE, described.groupState(), "state");
        requireEquals("i", described.members().iterator().next().groupInstanceId().get(), "instance id");
        try {
          admin.deleteConsumerGroupOffsets(name, Set.of(partition)).partitionResult(partition).get();
          require(false, "offsets of a subscribed topic were deleted");
        } catch (ExecutionException e) {
          require(e.getCause() instanceof GroupSubscribedToTopicException, "refused with " + e.getCause());
        }
      }
      admin.removeMembersFromConsumerGroup(name,
          new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("i")))).all().get();
      requireEquals(GroupState.EMPTY,
          admin.describeConsumerGroups(List.of(name)).all().get().get(name).groupState(), "state");
      admin.alterConsumerGroupOffsets(name, Map.of(partition, new OffsetAndMetadata(1))).all().get();
      var both = admin.listConsumerGroupOffsets(Map.of(name, new ListConsumerGroupOffsetsSpec(),
          name + "-none", new ListConsumerGroupOffsetsSpec()));
      requireEquals(1L, both.partitionsToOffsetAndMetadata(name).get().get(partition).offset(), "offset");
      requireEquals(Map.of(), both.partitionsToOffsetAndMetadata(name + "-none").get(), "no offsets");
      admin.deleteConsumerGroupOffsets(name, Set.of(partition)).all().get();
      requireEquals(Map.of(), admin.listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata().get(),
          "offsets after their deletion");
    });
    claim("records-before-an-offset-are-deleted", name -> {
      create(name, 1);
      fill(name, 1, 50);
      TopicPartition partition = new TopicPartition(name, 0);
      requireEquals(20L, admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(20)))
          .lowWatermarks().get(partition).get().lowWatermark(), "low watermark");
      requireEquals(20L, admin.listOffsets(Map.of(partition, OffsetSpec.earliest()))
          .partitionResult(partition).get().offset(), "log start");
      try (Member reader = member(name, "consumer", name, Map.of())) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        until(List.of(), () -> {
          records.addAll(poll(List.of(reader)));
          return records.size() >= 30;
        }, "records");
        requireEquals(20L, records.get(0).offset(), "first record");
      }
    });
  }

  public static void main(String[] arguments) {
    GroupRoundTrip test =
        new GroupRoundTrip(arguments[0], Arrays.asList(arguments).subList(1, arguments.length));
    test.groups();
    test.transactions();
    test.administration();
    test.admin.close();
  }
}
