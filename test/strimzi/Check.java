import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.fabric8.kubernetes.api.model.Quantity;
import java.io.IOException;
import java.lang.annotation.Annotation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/**
 * Reads YAML from the files, or else from the standard input, and checks each of Strimzi's objects in it by the class that
 * Strimzi's operators read it into. Prints a line for each object and for each problem; ends with status 1 when there is one.
 */
class Check {
    static final String API = "kafka.strimzi.io/v1";
    static final Map<String, String> MODELS = Map.of(
        "Kafka", "kafka.Kafka", "KafkaNodePool", "nodepool.KafkaNodePool", "KafkaTopic", "topic.KafkaTopic", "KafkaUser", "user.KafkaUser");

    // The API server takes no number for a text, and no text for a number.
    static final JsonMapper MAPPER = JsonMapper.builder()
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .withCoercionConfig(LogicalType.Textual, c -> c
            .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
        .build();

    static final ClassLoader STRIMZI = new ForThisJava();

    static int objects;
    static int problems;

    public static void main(String[] files) throws Exception {
        System.setProperty("slf4j.internal.verbosity", "ERROR"); // that nobody listens to the log is no news
        if (files.length == 0) {
            documents("-", new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
        }
        for (String file : files) {
            documents(file, Files.readString(Path.of(file)));
        }
        if (objects == 0) {
            problem("no object of " + API);
        }
        System.exit(problems == 0 ? 0 : 1);
    }

    static void documents(String file, String text) throws ReflectiveOperationException {
        var options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        try {
            for (Object document : new Yaml(new SafeConstructor(options)).loadAll(text)) {
                JsonNode node = MAPPER.valueToTree(document);
                if (node.path("apiVersion").asText().contains("strimzi.io/") || MODELS.containsKey(node.path("kind").asText())) {
                    object(file, node);
                }
            }
        } catch (MarkedYAMLException e) {
            problem(file + ": line " + (e.getProblemMark().getLine() + 1) + ": " + e.getProblem());
        }
    }

    static void object(String file, JsonNode node) throws ReflectiveOperationException {
        String version = node.path("apiVersion").asText();
        String kind = node.path("kind").asText();
        String name = file + ": " + kind + " " + node.path("metadata").path("name").asText() + ": ";
        objects++;
        if (!version.equals(API) || !MODELS.containsKey(kind)) {
            problem(name + "no model of " + version + " " + kind + " is known here");
            return;
        }
        int before = problems;
        try {
            fields(node, MAPPER.treeToValue(node, STRIMZI.loadClass("io.strimzi.api.kafka.model." + MODELS.get(kind))), name);
        } catch (JsonProcessingException e) {
            problem(name + path(e) + ": " + e.getOriginalMessage());
        }
        if (problems == before) {
            System.out.println(name + "ok");
        }
    }

    /** fields compares what was written with the object that was read from it. */
    static void fields(JsonNode written, Object read, String path) throws ReflectiveOperationException {
        Map<String, BeanPropertyDefinition> known = new HashMap<>();
        var model = MAPPER.getSerializationConfig().introspect(MAPPER.constructType(read.getClass()));
        model.findProperties().forEach(p -> known.put(p.getName(), p));
        // additionalProperties, where an object keeps the fields that it doesn't know, is none itself.
        known.values().removeIf(p -> p.getAccessor().hasAnnotation(JsonAnyGetter.class));

        for (var field : written.properties()) {
            String name = field.getKey();
            if (!known.containsKey(name)) {
                problem(path + name + ": unknown field");
            } else if (!field.getValue().isNull()) {
                AnnotatedMember accessor = known.get(name).getAccessor();
                limits(field.getValue(), accessor, path + name);
                value(field.getValue(), accessor.getValue(read), path + name);
            }
        }
        for (var p : known.values()) {
            // v1 is the only version that there is.
            boolean required = p.isRequired() || annotation(p.getAccessor(), "RequiredInVersions") != null;
            if (required && !written.hasNonNull(p.getName())) {
                problem(path + p.getName() + ": required, but missing");
            }
        }
    }

    static void value(JsonNode written, Object read, String path) throws ReflectiveOperationException {
        // Strimzi's enumerations read null from what they don't know, and some are indifferent to case.
        if (read == null || read instanceof Enum && !MAPPER.valueToTree(read).equals(written)) {
            problem(path + ": " + written + " is none of the values");
        } else if (read instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                value(written.get(i), list.get(i), path + "[" + i + "]");
            }
        } else if (read instanceof Map<?, ?> map) {
            for (var entry : map.entrySet()) {
                value(written.get(entry.getKey().toString()), entry.getValue(), path + "." + entry.getKey());
            }
        } else if (read instanceof Quantity quantity) {
            try {
                quantity.getNumericalAmount();
            } catch (IllegalArgumentException e) {
                problem(path + ": " + written + " is no quantity");
            }
        } else if (written.isObject()) {
            fields(written, read, path + ".");
        }
    }

    static void limits(JsonNode written, AnnotatedMember accessor, String path) throws ReflectiveOperationException {
        if (annotation(accessor, "Minimum") instanceof Integer least && written.asLong() < least) {
            problem(path + ": " + written + " is less than " + least);
        }
        if (annotation(accessor, "Maximum") instanceof Integer most && written.asLong() > most) {
            problem(path + ": " + written + " is more than " + most);
        }
        if (annotation(accessor, "MinimumItems") instanceof Integer least && written.size() < least) {
            problem(path + ": fewer than " + least);
        }
        if (annotation(accessor, "Pattern") instanceof String pattern && !Pattern.compile(pattern).matcher(written.asText()).find()) {
            problem(path + ": " + written + " does not match " + pattern);
        }
    }

    /** annotation returns the value of one that Strimzi makes its definitions from, or null. */
    static Object annotation(AnnotatedMember accessor, String name) throws ReflectiveOperationException {
        var type = STRIMZI.loadClass("io.strimzi.crdgenerator.annotations." + name).asSubclass(Annotation.class);
        Annotation annotation = accessor.getAnnotation(type);
        return annotation == null ? null : type.getMethod("value").invoke(annotation);
    }

    static String path(JsonProcessingException e) {
        var path = new StringBuilder();
        if (e instanceof JsonMappingException mapping) {
            for (var step : mapping.getPath()) {
                path.append(step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName());
            }
        }
        return path.isEmpty() ? "" : path.substring(1);
    }

    static void problem(String text) {
        problems++;
        System.out.println(text);
    }

    /**
     * Loads Strimzi's classes, which are compiled for Java 21, in Java 17 too: the form of a class is the same in both, and so
     * is all that these use of the library but for one exception. What else there might be one day ends the check.
     */
    static class ForThisJava extends ClassLoader {
        ForThisJava() {
            super(Check.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("io.strimzi.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : define(name);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (var in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] code = in.readAllBytes();
                int newest = Runtime.version().feature() + 44; // of the versions of classes, which are in the eighth byte
                if (code[7] > newest) {
                    // A switch ends with that exception. The other one's name has the same length.
                    String text = new String(code, StandardCharsets.ISO_8859_1);
                    code = text.replace("java/lang/MatchException", "java/lang/AssertionError").getBytes(StandardCharsets.ISO_8859_1);
                    code[7] = (byte) newest;
                }
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
