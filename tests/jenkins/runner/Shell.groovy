import java.util.concurrent.TimeUnit

/** A shell script in a process of its own, as the durable-task plugin has it: found and ended by a cookie. */
class Shell {
    static final long PATIENCE = TimeUnit.SECONDS.toMillis(20)  // then the step ends, whatever its script does
    static final long LOOK = 100
    private final Build build
    private final String cookie = "durable-${UUID.randomUUID()}"
    private int shown = 0

    Shell(Build build) {
        this.build = build
    }

    /** Runs it, shows what it says and gives its exit status; an abort of the build ends its processes. */
    int run(String script) {
        def folder = new File(build.folder, cookie).tap { mkdirs() }
        def file = new File(folder, 'script.sh').tap { text = script }
        def log = new File(folder, 'jenkins-log.txt')
        def process = start(file, log)
        Long until = null
        while (!process.waitFor(LOOK, TimeUnit.MILLISECONDS) && (until == null || System.currentTimeMillis() < until)) {
            show(log)
            if (until == null && build.nowAborted()) {
                build.say 'Sending interrupt signal to process'
                until = System.currentTimeMillis() + PATIENCE
                Thread.startDaemon { new ProcessTree().end(cookie) }
            }
        }
        show(log)
        if (until) {
            throw new Ended(Result.ABORTED, process.alive ? 'After 20s process did not stop' : 'Aborted')
        }
        process.exitValue()
    }

    private Process start(File file, File log) {
        def builder = new ProcessBuilder('sh', '-xe', file.path).directory(build.workspace)
        builder.environment().putAll(build.env)
        builder.environment().put('JENKINS_SERVER_COOKIE', cookie)
        builder.redirectErrorStream(true).redirectOutput(log).start()
    }

    /** Shows the lines that are new and whole. */
    private void show(File log) {
        byte[] all = log.bytes
        int end = (all.length..shown).find { it == shown || all[it - 1] == (byte) 10 }
        if (end > shown) {
            new String(all, shown, end - shown, 'UTF-8').eachLine { build.say it }
            shown = end
        }
    }
}

/**
 * Processes as hudson.util.ProcessTree sees and ends them on Linux: each that has the cookie, its children before it;
 * SIGTERM, and a wait until it is gone, for 5 s that a process shares with all below it. Nothing is killed by force.
 */
class ProcessTree {
    static final long SECONDS = 5
    private final Map<Integer, Integer> parents = [:]

    ProcessTree() {
        new File('/proc').eachDirMatch(~/\d+/) { folder ->
            def line = read(new File(folder, 'status')).readLines().find { it.startsWith('PPid:') }
            if (line) {
                parents[folder.name as int] = line.substring(5).trim() as int
            }
        }
    }

    void end(String cookie) {
        def mark = "JENKINS_SERVER_COOKIE=$cookie" as String
        parents.keySet().findAll { mark in read(new File("/proc/$it/environ")).split('\0') }.each {
            endWithChildren(it, System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS))
        }
    }

    private void endWithChildren(int process, long deadline) {
        parents.findAll { it.value == process }.keySet().each { endWithChildren(it, deadline) }
        ProcessHandle.of(process).ifPresent { it.destroy() }
        do {
            sleep(10)
        } while (new File("/proc/$process/status").exists() && System.nanoTime() < deadline)
    }

    private static String read(File file) {
        try {
            file.text
        } catch (IOException gone) {
            ''
        }
    }
}
