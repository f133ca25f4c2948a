import java.nio.channels.FileChannel
import java.nio.file.StandardOpenOption

/** The steps that the Jenkinsfile and the shared library use; arguments that are not known are an error. */
class Steps {
    static final List<String> NAMES = ['checkout', 'sh', 'junit', 'publishHTML', 'archiveArtifacts', 'withCredentials',
                                       'withEnv', 'lock', 'milestone', 'mail', 'error', 'readFile']
    static final List<String> CREDENTIALS = ['usernamePassword', 'file', 'gitUsernamePassword']
    final Map scm
    final Map<String, Script> library = [:]
    private final Build build
    private final Evidence evidence

    Steps(Build build) {
        this.build = build
        scm = [url: build.asked.scm]
        evidence = new Evidence(build)
    }

    static void only(Map given, List<String> needed, List<String> optional) {
        def strange = given.keySet() - needed - optional
        def missing = needed - given.keySet()
        if (strange || missing) {
            throw new Ended(Result.FAILURE, strange ? "there is no argument ${strange.join(', ')}" : "missing: ${missing.join(', ')}")
        }
    }

    Map<String, String> getEnv() { build.env }

    Map<String, String> getParams() { build.params }

    Map getCurrentBuild() { [currentResult: build.result as String] }

    def propertyMissing(String name) {
        throw new Ended(Result.FAILURE, "there is no property $name")
    }

    def methodMissing(String name, Object arguments) {
        if (!(name in library)) {
            throw new Ended(Result.FAILURE, "there is no step $name with such arguments")
        }
        library[name].invokeMethod('call', arguments)
    }

    void checkout(Map from) {
        interruptible()
        boolean there = new File(build.workspace, '.git').exists()
        def words = there ? ['fetch', '--quiet', from.url, 'HEAD'] : ['clone', '--quiet', from.url, '.']
        command('git', *words)
        command('git', 'checkout', '--quiet', '--force', there ? 'FETCH_HEAD' : 'HEAD')     // what is not in Git stays
    }

    def sh(String script) {
        sh(script: script)
    }

    def sh(Map how) {
        only(how, ['script'], ['returnStatus'])
        interruptible()
        int status = new Shell(build).run(how.script as String)
        if (status && !how.returnStatus) {
            throw new Ended(Result.FAILURE, "script returned exit code $status")
        }
        how.returnStatus ? status : null
    }

    void junit(String pattern) {
        evidence.junit(testResults: pattern)
    }

    void junit(Map how) {
        evidence.junit(how)
    }

    void publishHTML(Map how) {
        only(how, ['target'], [])
        evidence.publish(how.target as Map)
    }

    void archiveArtifacts(Map how) {
        evidence.archive(how)
    }

    String readFile(String path) {
        new File(build.workspace, path).text
    }

    void withEnv(List<String> variables, Closure body) {
        build.with(variables.collectEntries { (it as String).split('=', 2).toList() }, body)
    }

    void withCredentials(List<Credential> credentials, Closure body) {
        build.secrets.addAll(credentials*.secrets().flatten())
        build.with(credentials*.variables.sum() as Map, body)
    }

    Credential usernamePassword(Map how) {
        only(how, ['credentialsId', 'usernameVariable', 'passwordVariable'], [])
        Credential.of(build, how) { [(how.usernameVariable): it.username, (how.passwordVariable): it.password] }
    }

    Credential file(Map how) {
        only(how, ['credentialsId', 'variable'], [])
        Credential.of(build, how) { [(how.variable): it.file] }
    }

    /** As the Git plugin does: git asks a program for the password. */
    Credential gitUsernamePassword(Map how) {
        only(how, ['credentialsId', 'gitToolName'], [])
        Credential.of(build, how) {
            def program = new File(build.folder, 'askpass.sh')
            program.text = "#!/bin/sh\ncase \"\$1\" in Username*) echo '$it.username';; *) echo '$it.password';; esac\n"
            program.setExecutable(true)
            [GIT_ASKPASS: program.path, GIT_TERMINAL_PROMPT: 'false']
        }
    }

    /** Whoever comes after a newer build gives up. */
    void milestone(Integer ordinal = ++build.milestones) {
        interruptible()
        def passed = new File(build.home, "jobs/$build.job/milestone-$ordinal")
        if (passed.exists() && passed.text.toInteger() > build.number) {
            throw new Ended(Result.NOT_BUILT, "superseded by build ${passed.text}")
        }
        passed.text = build.number
    }

    /** Between builds that run at once, which are processes of their own here. */
    void lock(Map how, Closure body) {
        only(how, ['resource'], ['inversePrecedence'])
        def file = new File(build.home, "lock-${how.resource.replaceAll(/\W/, '-')}").toPath()
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE).withCloseable { channel ->
            while (!channel.tryLock()) {
                interruptible()
                sleep(100)
            }
            build.say "Lock acquired on [$how.resource]"
            body()
        }
    }

    void mail(Map how) {
        only(how, ['to', 'subject', 'body'], [])
        Mail.send(build.asked.smtp as String, 'jenkins@example.com', how.to as String, how.subject as String, how.body as String)
    }

    void error(String why) {
        throw new Ended(Result.FAILURE, why)
    }

    private void interruptible() {
        if (build.nowAborted()) {
            throw new Ended(Result.ABORTED, 'Aborted')
        }
    }

    private void command(String... words) {
        def process = new ProcessBuilder(words).directory(build.workspace).redirectErrorStream(true).start()
        def said = process.inputStream.text
        if (process.waitFor()) {
            throw new Ended(Result.FAILURE, "${words.join(' ')}: $said")
        }
    }
}

/** What a credential puts into the environment. */
class Credential {
    Map<String, String> stored, variables

    static Credential of(Build build, Map how, Closure<Map> bind) {
        String prefix = "credential.${how.credentialsId}."
        def stored = build.asked.findAll { it.key.startsWith(prefix) }.collectEntries { [it.key - prefix, it.value] }
        if (!stored) {
            throw new Ended(Result.FAILURE, "Could not find credentials entry with ID '$how.credentialsId'")
        }
        new Credential(stored: stored, variables: bind(stored))
    }

    List<String> secrets() { stored.values().toList() }
}
