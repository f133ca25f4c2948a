/** A shared library: each script in its vars is a step, and may use all others. */
class Library extends Binding {
    private final Steps steps

    Library(Steps steps) {
        this.steps = steps
        (Steps.NAMES + Steps.CREDENTIALS).each { name ->
            setVariable(name) { Object... arguments -> steps.invokeMethod(name, arguments) }
        }
    }

    /** Loads it from a folder, if there is one. */
    void load(String folder) {
        new File(folder ?: '/nowhere', 'vars').listFiles()?.each { file ->
            steps.library[file.name - '.groovy'] = new GroovyShell(steps.class.classLoader, this).parse(file)
        }
    }

    /** Gives what changes while a build runs as it is now. */
    Object getVariable(String name) {
        name in ['env', 'params', 'currentBuild'] ? steps.getProperty(name) : super.getVariable(name)
    }
}
