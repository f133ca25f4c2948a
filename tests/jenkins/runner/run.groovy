/*
 * Runs one build of a job: java -cp groovy.jar:CLASSES run ASKED.properties
 *
 * Its output is the console, SIGTERM is the cross that aborts the build, the exit status is 0 for SUCCESS. Properties:
 *   job, number, url, home     of the build; home is the controller's folder
 *   scm                        a bare Git repository on this machine; its Jenkinsfile is run
 *   smtp                       HOST:PORT of the mail server
 *   library                    a shared library's folder, loaded implicitly; may be left out
 *   param.NAME                 what the build was started with
 *   credential.ID.WHAT         username and password, or file
 */
import org.codehaus.groovy.control.CompilerConfiguration
import sun.misc.Signal

def asked = new Properties()
new File(args[0]).withReader('UTF-8') { asked.load(it) }
def build = new Build(asked)
Signal.handle(new Signal('TERM')) {
    build.say 'Aborted by a person'
    build.abort()
}
try {
    def steps = new Steps(build)
    new Library(steps).load(asked.library as String)
    def checked = new CompilerConfiguration().addCompilationCustomizers(new Grammar(steps.library.keySet()))
    def pipeline = { Closure body -> new Declarative(build, steps).pipeline(body) }
    new GroovyShell(getClass().classLoader, new Binding(pipeline: pipeline), checked).evaluate(source(asked), 'Jenkinsfile')
} catch (Exception error) {
    build.worse(error)
    build.say error instanceof Ended ? error.message : error
}
build.say "Finished: $build.result"
System.exit(build.result == Result.SUCCESS ? 0 : 1)

/** Reads the Jenkinsfile, and nothing else, from the repository. */
static String source(Properties asked) {
    def git = ['git', "--git-dir=$asked.scm", 'show', 'HEAD:Jenkinsfile']*.toString().execute()
    git.text
}
