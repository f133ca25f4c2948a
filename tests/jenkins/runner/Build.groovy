/** How bad a build's result is; it only gets worse. */
enum Result { SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED }

/** The build is to end with this result, as an error in a step or a person wants it. */
class Ended extends Exception {
    final Result result

    Ended(Result result, String why) {
        super(why)
        this.result = result
    }
}

/** One build of a job: its folders, environment, result and console. */
class Build {
    final Properties asked
    final String job
    final int number
    final File home, folder, workspace
    final Map<String, String> params
    final List<String> secrets = []
    Map<String, String> env
    Result result = Result.SUCCESS
    int milestones = 0
    private volatile boolean aborted

    Build(Properties asked) {
        this.asked = asked
        job = asked.job
        number = asked.number as int
        home = new File(asked.home as String)
        folder = new File(home, "jobs/$job/$number")
        workspace = new File(home, "workspace/$job")    // builds after each other share it, with what the last one left
        [folder, workspace].each { it.mkdirs() }
        params = asked.findAll { it.key.startsWith('param.') }.collectEntries { [it.key.substring(6), it.value] }
        env = [JOB_NAME: job, BUILD_NUMBER: "$number" as String, BUILD_DISPLAY_NAME: "#$number" as String,
               BUILD_TAG: "jenkins-$job-$number" as String, BUILD_URL: "${asked.url}job/$job/$number/" as String,
               WORKSPACE: workspace.path]
    }

    /** Writes a line to the console, without any secret. */
    synchronized void say(Object line) {
        println secrets.inject(line as String) { text, secret -> text.replace(secret, '****') }
        System.out.flush()
    }

    /** A person presses the cross. */
    void abort() {
        aborted = true
    }

    /** Says whether somebody has aborted since this was last asked. */
    boolean nowAborted() {
        boolean was = aborted
        aborted = false
        was
    }

    void worse(Throwable error) {
        worse(error instanceof Ended ? error.result : Result.FAILURE)
    }

    void worse(Result other) {
        result = [result, other].max()
    }

    /** Runs a body with more in the environment. */
    def with(Map<String, String> more, Closure body) {
        def before = env
        env = before + more
        try {
            body()
        } finally {
            env = before
        }
    }
}
